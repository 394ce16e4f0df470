import type { Language } from "../language";
import type { Told } from "../faults";
import { de } from "./de";
import { deErrors } from "./de-errors";
import { en } from "./en";
import { enErrors } from "./en-errors";

/** All texts of the pages. English defines them; a language that lacks one does not compile. */
export type Texts = typeof en;

/** The texts of faults. */
export interface Errors {
  /** One for every reason of the service, and for other failures. */
  readonly reasons: Readonly<Record<Told, string>>;
  /** What a field must be, by its name in the proto. */
  readonly fields: Readonly<Record<string, string>>;
  /** What to say about an empty field, where that differs. */
  readonly empty: Readonly<Record<string, string>>;
  /** Texts of the closer reasons that the service gives for a field. The number is the bound that it names. */
  readonly rules: Readonly<Record<string, (bound: number | undefined) => string>>;
  /** Why a passkey was not accepted: the closer reasons of PASSKEY_INVALID, and `KNOWN` of the browser. */
  readonly passkey: Readonly<Record<string, string>>;
  /** What to say about a code that is wrong, by its field; about others, the text of the reason. */
  readonly wrong: Readonly<Record<string, string>>;
  /** For a field that is not listed: the service's description, in English. */
  unknownField(description: string): string;
  /** Shown above the fields that are wrong. */
  readonly check: (count: number) => string;
  /** `when` is, for example, `in 30 seconds`. */
  readonly again: (when: string) => string;
  readonly tryAgain: string;
  readonly broken: string;
  readonly reload: string;
  readonly needsSecureOrigin: string;
}

export const TEXTS: Readonly<Record<Language, Texts>> = { en, de };
export const ERRORS: Readonly<Record<Language, Errors>> = { en: enErrors, de: deErrors };
