/** Resolves in a task of its own: after all promise reactions and stream steps that are ready now. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    // Sooner than a timer, which browsers hold back for 4 ms when it is set again and again.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
