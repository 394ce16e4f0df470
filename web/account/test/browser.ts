import type { SessionChange } from "@countersign/client";
import type { Frame } from "../src/navigation";

/** A tab: its address bar and its history. */
export class Tab implements Frame {
  readonly #entries: string[];
  #at = 0;
  readonly #listeners = new Map<string, (() => void)[]>();
  /** Every address that was in the address bar after scripts had run, oldest first. */
  readonly shown: string[] = [];

  constructor(address: string) {
    this.#entries = [address];
  }

  get address(): string {
    return this.#entries[this.#at] ?? "";
  }

  get location() {
    return new URL(this.address, "https://id.example.org");
  }

  readonly history = {
    pushState: (_: unknown, __: string, address: string) => {
      this.#entries.splice(++this.#at, Infinity, address);
    },
    replaceState: (_: unknown, __: string, address: string) => {
      this.#entries[this.#at] = address;
    },
  } as Frame["history"];

  addEventListener(kind: string, listener: () => void): void {
    this.#listeners.set(kind, [...(this.#listeners.get(kind) ?? []), listener]);
  }

  back(): void {
    this.#at = Math.max(0, this.#at - 1);
    this.#tell("popstate");
  }

  /** A person pastes an address that differs only in its fragment. */
  paste(address: string): void {
    this.history.pushState(null, "", address);
    this.#tell("popstate");
    this.#tell("hashchange");
  }

  get entries(): readonly string[] {
    return this.#entries;
  }

  #tell(kind: string): void {
    for (const listener of this.#listeners.get(kind) ?? []) listener();
  }
}

/** What a page learns about the session, without a service. */
export class Hearing {
  signedIn: boolean | undefined;
  readonly #listeners: ((change: SessionChange) => void)[] = [];

  constructor(signedIn?: boolean) {
    this.signedIn = signedIn;
  }

  onChange(listener: (change: SessionChange) => void): () => void {
    this.#listeners.push(listener);
    return () => {};
  }

  tell(change: SessionChange): void {
    this.signedIn = change.signedIn;
    for (const listener of this.#listeners) listener(change);
  }
}
