const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing answers there. Is its port right, and does it run?',
  ENOTFOUND: 'There is no such host. Is its name right?',
  EAI_AGAIN: 'Its name cannot be looked up. Is this machine online?',
  ENETUNREACH: 'There is no way to it. Is this machine online?',
  EHOSTUNREACH: 'There is no way to it. Is this machine online?',
  ETIMEDOUT: 'It does not answer.',
  ECONNRESET: 'It ended the connection.',
  EPIPE: 'It ended the connection.',
  EPROTO: 'It does not speak HTTPS there. Is its port right?',
  ERR_SSL_WRONG_VERSION_NUMBER: 'It does not speak HTTPS there. Is its port right?',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'It does not speak HTTPS there. Is its port right?',
  HPE_INVALID_CONSTANT: 'It does not speak HTTP there. Is it https://, and is its port right?',
};

/** Why a server cannot be reached, as a sentence; an error without a code of the system is returned as it is. */
export function asUnreachable(error: Error & { code?: string }, { host }: URL): Error {
  const reason = REASONS[error.code ?? ''];
  return reason ? new Error(`${host} cannot be reached. ${reason}`, { cause: error }) : error;
}
