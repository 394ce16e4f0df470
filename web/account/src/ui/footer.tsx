import { useApp } from "../app-context";
import { LANGUAGES, type Language } from "../language";
import { Link } from "./link";

/** Each language by its own name: a person who needs the switch may read no other. */
const NAMES: Readonly<Record<Language, string>> = { en: "English", de: "Deutsch" };

export function Footer({ choose }: { readonly choose: (language: Language) => void }) {
  const { texts, language, mailbox } = useApp();
  return (
    <footer class="bottom">
      <div class="languages" role="group" aria-label={texts.language}>
        {LANGUAGES.map((each) => (
          <button key={each} type="button" class="text-button" lang={each} aria-pressed={each === language} onClick={() => choose(each)}>
            {NAMES[each]}
          </button>
        ))}
      </div>
      {mailbox && (
        <Link to="mailbox" class="text-button">
          {texts.mailboxLink}
        </Link>
      )}
    </footer>
  );
}
