/** DTM's rollback reason holds 1024 characters with the URL; a longer one costs it a retry. */
const MAX_TEXT = 200;

/**
 * An error's words as they may leave the process: cut, and well formed. Half a surrogate pair, from a cut or from a client's
 * JSON, makes grpc-js throw outside of any promise, which ends the process.
 */
export function sendableText(text: string, most: number = MAX_TEXT): string {
  const cut = text.length > most ? text.slice(0, most).replace(/[\uD800-\uDBFF]$/, '') : text;
  return cut.toWellFormed();
}

/**
 * The same without the words that are answers to DTM: it looks for them in any HTTP body before it looks at the status, and takes
 * ABORTED with the text ONGOING for "ongoing".
 */
export function answerText(text: string): string {
  return sendableText(text.replaceAll('FAILURE', 'failure').replaceAll('ONGOING', 'ongoing'));
}
