export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];

const ITEM = "countersign language";

/** The language chosen before, or else the first of the person's languages that the pages have. */
export function languageFor(chosen: string | null | undefined, preferred: readonly string[]): Language {
  for (const tag of [chosen ?? "", ...preferred]) {
    const found = LANGUAGES.find((language) => primary(tag) === language);
    if (found) return found;
  }
  return "en";
}

/** The language for dates, such as `de-AT`. */
export function localeOf(language: Language, preferred: readonly string[]): string {
  return preferred.find((tag) => primary(tag) === language) ?? language;
}

function primary(tag: string): string | undefined {
  return tag.toLowerCase().split("-")[0];
}

/** The language chosen before. If the storage is forbidden, none was. */
export function chosenLanguage(storage: () => Storage): string | null {
  try {
    return storage().getItem(ITEM);
  } catch {
    return null;
  }
}

/** Stores the choice, where the browser allows it. */
export function rememberLanguage(storage: () => Storage, language: Language): void {
  try {
    storage().setItem(ITEM, language);
  } catch {
    // Forbidden or full: the choice lasts as long as the page.
  }
}
