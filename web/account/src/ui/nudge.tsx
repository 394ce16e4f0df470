import { useState } from "preact/hooks";
import { useApp } from "../app-context";
import { dismiss, isDismissed } from "../nudge";
import { Link } from "./link";
import { Note } from "./note";

/** Says once that a second step would protect the account. */
export function SecondStepNudge() {
  const { texts } = useApp();
  const [gone, setGone] = useState(() => isDismissed(() => localStorage));
  if (gone) return null;
  const close = () => {
    dismiss(() => localStorage);
    setGone(true);
    // The pressed button no longer exists.
    document.querySelector<HTMLElement>("h1")?.focus();
  };
  return (
    <Note tone="plain">
      <p>{texts.nudge.text}</p>
      <p class="nudge-ways">
        <Link to="security">{texts.nudge.link}</Link>
        <button type="button" class="text-button" onClick={close}>
          {texts.nudge.dismiss}
        </button>
      </p>
    </Note>
  );
}
