// The part of WebAuthn that browsers do. Loaded when somebody uses a passkey.
export { startAuthentication, startRegistration } from '@simplewebauthn/browser';
