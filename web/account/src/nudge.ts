const ITEM = "countersign two-step hint";

/** Whether the person wants to see no more that a second step would protect the account. */
export function isDismissed(storage: () => Storage): boolean {
  try {
    return storage().getItem(ITEM) === "dismissed";
  } catch {
    return false;
  }
}

/** Stores that, where the browser allows it. */
export function dismiss(storage: () => Storage): void {
  try {
    storage().setItem(ITEM, "dismissed");
  } catch {
    // Forbidden or full: the hint comes back with the next visit.
  }
}
