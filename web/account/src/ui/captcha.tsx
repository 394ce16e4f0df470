import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useApp } from "../app-context";
import { isSeen, solve } from "../captcha";
import type { Fault } from "../faults";

export interface CaptchaTaskProps {
  /** The last fault of the form. */
  readonly fault: Fault | undefined;
  /** Sends the form again with the token of a solved captcha. */
  readonly solved: (token: string) => void;
}

/**
 * The captcha that the service requires, if any. A token is valid once, so there is a new captcha after every refusal.
 */
export function CaptchaTask({ fault, solved }: CaptchaTaskProps) {
  const { texts, language } = useApp();
  const title = useId();
  const target = useRef<HTMLDivElement>(null);
  const [broken, setBroken] = useState(false);
  // The form is rendered again while the person solves the captcha; the latest callback counts.
  const next = useRef(solved);
  next.current = solved;
  // An invisible captcha that was refused would be refused for ever: the person decides when to try again.
  const captcha = fault?.captcha && (isSeen(fault.captcha) || fault.reason === "CAPTCHA_REQUIRED") ? fault.captcha : undefined;

  useEffect(() => {
    setBroken(false);
    if (captcha === undefined || target.current === null) return;
    // An element of its own, which the provider's script may change.
    const place = document.createElement("div");
    target.current.replaceChildren(place);
    let gone = false;
    solve(captcha, place, language).then(
      (token) => gone || next.current(token),
      () => gone || setBroken(true),
    );
    return () => {
      gone = true;
      place.remove();
    };
  }, [fault]);

  if (captcha === undefined) return null;
  return (
    <div class="captcha" role="group" aria-labelledby={title} tabIndex={-1}>
      <p id={title} class="captcha-title">
        {texts.captcha.title}
      </p>
      <p class="hint">{isSeen(captcha) ? texts.captcha.lead : texts.captcha.unseen}</p>
      <div ref={target} class="captcha-place" />
      {broken && (
        <p class="wrong" role="alert">
          {texts.captcha.broken}
        </p>
      )}
    </div>
  );
}
