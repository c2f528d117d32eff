/**
 * The headers of what a script asks for: a fragment, and only for whom this page was made. Somebody else may have signed
 * in meanwhile, in another tab.
 * @returns {Record<string, string>}
 */
export function ownHeaders() {
  const { accountId } = document.body.dataset;
  return { 'HX-Request': 'true', ...(accountId && { 'Hearth-Account': accountId }) };
}
