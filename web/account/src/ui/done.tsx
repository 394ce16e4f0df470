import { useApp } from "../app-context";
import { Sheet } from "./frame";
import { ButtonLink } from "./link";

export interface DoneProps {
  readonly title: string;
  readonly text: string;
  /** Further information, a paragraph each. */
  readonly more?: readonly string[];
  readonly to: "signIn" | "account" | "reset";
}

/** The end of a task, and a link to continue. */
export function Done({ title, text, more = [], to }: DoneProps) {
  const { texts } = useApp();
  return (
    <Sheet title={title} moved>
      {[text, ...more].map((paragraph) => (
        <p class="lead" key={paragraph}>
          {paragraph}
        </p>
      ))}
      <ButtonLink to={to} kind="main">
        {{ account: texts.toAccount, signIn: texts.signIn.title, reset: texts.reset.title }[to]}
      </ButtonLink>
    </Sheet>
  );
}
