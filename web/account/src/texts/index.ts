import type { Language } from "../language";
import type { Told } from "../faults";
import { de } from "./de";
import { deErrors } from "./de-errors";
import { en } from "./en";
import { enErrors } from "./en-errors";

/** Everything the pages say. English says what there is; a language that lacks some of it does not compile. */
export type Texts = typeof en;

/** What the pages say when something did not work. */
export interface Errors {
  /** Every reason of the service, and what else can happen. */
  readonly reasons: Readonly<Record<Told, string>>;
  /** What a field has to be, by the name it has in the proto. */
  readonly fields: Readonly<Record<string, string>>;
  /** What to say of a field that was left empty, where that is something else. */
  readonly empty: Readonly<Record<string, string>>;
  /** Closer reasons that the service gives for a field. The number is the bound that it names. */
  readonly rules: Readonly<Record<string, (bound: number | undefined) => string>>;
  /** For a field that is not listed: what the service says, in English. */
  unknownField(description: string): string;
  /** Above the fields that have to be looked at. */
  readonly check: (count: number) => string;
  /** `when` is such as `in 30 seconds`. */
  readonly again: (when: string) => string;
  readonly tryAgain: string;
  readonly broken: string;
  readonly reload: string;
  readonly needsSecureOrigin: string;
}

export const TEXTS: Readonly<Record<Language, Texts>> = { en, de };
export const ERRORS: Readonly<Record<Language, Errors>> = { en: enErrors, de: deErrors };
