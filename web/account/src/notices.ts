import type { Told } from "./faults";
import type { Texts } from "./texts";

/** Something to say on the next page. */
export type Notice = { readonly tone: "good" | "plain" | "bad" } & (
  | { readonly key: keyof Texts["notices"] }
  | { readonly reason: Told }
);

/** Holds what one page leaves for the next one to say. */
export class Notices {
  #left: Notice | undefined;

  leave(notice: Notice): void {
    this.#left = notice;
  }

  /** Takes what was left, once. */
  take(): Notice | undefined {
    const left = this.#left;
    this.#left = undefined;
    return left;
  }
}
