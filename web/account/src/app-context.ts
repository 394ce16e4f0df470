import type { Countersign } from "@countersign/client";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { AccountStore } from "./account-store";
import type { Format } from "./format";
import type { Language } from "./language";
import type { Navigation, Place } from "./navigation";
import type { Presence } from "./presence";
import type { Errors, Texts } from "./texts";

/** Objects that live as long as the page is loaded. */
export interface Parts {
  readonly countersign: Countersign;
  readonly navigation: Navigation;
  readonly presence: Presence;
  readonly account: AccountStore;
  /** Whether the service has a development mailbox. */
  readonly mailbox: boolean;
}

/** Objects and texts that every page can use. */
export interface App extends Parts {
  readonly place: Place;
  readonly language: Language;
  readonly texts: Texts;
  readonly errors: Errors;
  readonly format: Format;
  /** Announces to screen readers what happened. */
  announce(text: string): void;
}

export const AppContext = createContext<App | undefined>(undefined);

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error("this is shown outside of the app");
  return app;
}
