import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

const CHECK_AGAIN_MS = 10;

interface Queue {
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  readonly pending: readonly unknown[];
  checkPendingRequests(): void;
}

/**
 * kafkajs 2.2.4 sets a timer of a negative duration after each answer, and again whenever it fires: a thousand wake-ups a
 * second for each idle connection, and a TimeoutNegativeWarning (tulios/kafkajs#1751). A timer is needed only while requests wait.
 */
function scheduleCheckPendingRequests(this: Queue): void {
  if (this.throttleCheckTimeoutId || this.pending.length === 0) return;
  const throttledMs = this.throttledUntil - Date.now();
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    },
    throttledMs > 0 ? throttledMs : CHECK_AGAIN_MS,
  );
}

/** Puts the corrected method in the place of the library's. */
export function correctRequestQueue(): void {
  Object.assign(RequestQueue.prototype, { scheduleCheckPendingRequests });
}
