import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { Button } from "./action";

export interface ConfirmProps {
  readonly question: string;
  /** What the person should know before, each in a paragraph. */
  readonly hints: readonly string[];
  /** The text of the button that changes nothing. */
  readonly keep: string;
  readonly cancel: () => void;
  /** The button that acts. */
  readonly children: ComponentChildren;
}

/** Asks before something is removed. The question gets the focus, and the first button changes nothing. */
export function Confirm({ question, hints, keep, cancel, children }: ConfirmProps) {
  const id = useId();
  const asked = useRef<HTMLParagraphElement>(null);
  useLayoutEffect(() => asked.current?.focus(), []);
  return (
    <div class="confirm" role="group" aria-labelledby={id}>
      <p id={id} class="question" tabIndex={-1} ref={asked}>
        {question}
      </p>
      {hints.map((hint) => (
        <p class="hint" key={hint}>
          {hint}
        </p>
      ))}
      <div class="buttons">
        <Button onClick={cancel}>{keep}</Button>
        {children}
      </div>
    </div>
  );
}
