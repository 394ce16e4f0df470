import type { Told } from "./faults";
import type { Texts } from "./texts";

/** A message to show on the next page. */
export type Notice = { readonly tone: "good" | "plain" | "bad" } & (
  | { readonly key: keyof Texts["notices"] }
  | { readonly reason: Told }
);

/** Keeps the message of one page for the next one. */
export class Notices {
  #left: Notice | undefined;

  leave(notice: Notice): void {
    this.#left = notice;
  }

  /** Returns the message, once. */
  take(): Notice | undefined {
    const left = this.#left;
    this.#left = undefined;
    return left;
  }
}
