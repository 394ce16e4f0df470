import type { ComponentType } from "preact";
import { useEffect, useErrorBoundary, useMemo, useRef, useState } from "preact/hooks";
import { AppContext, useApp, type App, type Parts } from "./app-context";
import { Format } from "./format";
import { localeOf, rememberLanguage, type Language } from "./language";
import type { Notice, Notices } from "./notices";
import { AccountPage } from "./pages/account";
import { ConfirmEmailPage } from "./pages/confirm-email";
import { DeletePage } from "./pages/delete";
import { EmailPage } from "./pages/email";
import { ForgotPasswordPage } from "./pages/forgot-password";
import { MailboxPage } from "./pages/mailbox";
import { NotFoundPage } from "./pages/not-found";
import { PasswordPage } from "./pages/password";
import { RegisterPage } from "./pages/register";
import { ResetPage } from "./pages/reset";
import { SecurityPage } from "./pages/security";
import { SessionsPage } from "./pages/sessions";
import { SignInPage } from "./pages/sign-in";
import { VerifyPage } from "./pages/verify";
import type { PageName } from "./routes";
import { ERRORS, TEXTS } from "./texts";
import { Footer } from "./ui/footer";
import { Header } from "./ui/header";
import { Button } from "./ui/action";
import { Note } from "./ui/note";
import { WaitView } from "./ui/wait-view";

const PAGES: Readonly<Record<Exclude<PageName, "start">, ComponentType>> = {
  signIn: SignInPage,
  register: RegisterPage,
  verify: VerifyPage,
  forgotPassword: ForgotPasswordPage,
  reset: ResetPage,
  confirmEmail: ConfirmEmailPage,
  account: AccountPage,
  password: PasswordPage,
  email: EmailPage,
  sessions: SessionsPage,
  security: SecurityPage,
  delete: DeletePage,
  mailbox: MailboxPage,
};

export interface AppViewProps {
  readonly parts: Parts;
  readonly notices: Notices;
  readonly language: Language;
}

export function AppView({ parts, notices, language: first }: AppViewProps) {
  const [language, setLanguage] = useState(first);
  const [{ place, notice }, setHere] = useState(() => ({ place: parts.navigation.place, notice: notices.take() }));
  const [heard, setHeard] = useState({ text: "", count: 0 });
  // Counted, so that the same announcement is read again.
  const announce = (text: string) => setHeard(({ count }) => ({ text, count: count + 1 }));
  const format = useMemo(() => new Format(localeOf(language, navigator.languages)), [language]);

  useEffect(() => {
    const move = () => {
      const { place } = parts.navigation;
      // A page that only redirected has left its notice for this page.
      setHere((here) => (here.place === place ? here : { place, notice: notices.take() }));
      announce("");
    };
    move();
    return parts.navigation.onMove(move);
  }, [parts, notices]);

  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);

  const choose = (language: Language) => {
    rememberLanguage(() => localStorage, language);
    setLanguage(language);
  };
  const app: App = { ...parts, place, language, texts: TEXTS[language], errors: ERRORS[language], format, announce };

  return (
    <AppContext.Provider value={app}>
      <SkipLink />
      <Header />
      <main id="main" class="main" tabIndex={-1}>
        <WaitView />
        <NoticeView notice={notice} />
        <CurrentPage key={place.visit} />
      </main>
      <Footer choose={choose} />
      <div class="heard" role="status">
        <p key={heard.count}>{heard.text}</p>
      </div>
    </AppContext.Provider>
  );
}

function CurrentPage() {
  const { place, errors } = useApp();
  const [error] = useErrorBoundary();
  if (error !== undefined) {
    return (
      <Note tone="bad">
        <p>{errors.broken}</p>
        <Button onClick={() => location.reload()}>{errors.reload}</Button>
      </Note>
    );
  }
  const Page = place.page === undefined || place.page === "start" ? NotFoundPage : PAGES[place.page];
  return <Page />;
}

function NoticeView({ notice }: { readonly notice: Notice | undefined }) {
  const { texts, errors, announce } = useApp();
  const text = notice && ("key" in notice ? texts.notices[notice.key] : errors.reasons[notice.reason]);
  useEffect(() => {
    // Above the focused heading a screen reader would not read it.
    if (text) announce(text);
  }, [notice]);
  return notice ? <Note tone={notice.tone}>{text}</Note> : null;
}

/** A button that looks like a link: a fragment in the address would count as a new place. */
function SkipLink() {
  const { texts } = useApp();
  const main = useRef<HTMLElement | null>(null);
  const skip = (event: Event) => {
    event.preventDefault();
    main.current = document.getElementById("main");
    main.current?.focus();
  };
  return (
    <a class="skip" href="#main" onClick={skip}>
      {texts.skip}
    </a>
  );
}
