import { useState } from "preact/hooks";
import { useApp } from "../app-context";
import { Button } from "./action";

interface CopyProps {
  readonly text: string;
  readonly children: string;
}

/** A button that copies a text, and says whether that worked. */
export function Copy({ text, children }: CopyProps) {
  const { texts, announce } = useApp();
  const [result, setResult] = useState<"copied" | "notCopied">();
  const copy = async () => {
    const done = await navigator.clipboard.writeText(text).then(() => "copied" as const, () => "notCopied" as const);
    setResult(done);
    announce(texts[done]);
  };
  return (
    <span class="copy">
      <Button onClick={() => void copy()}>{children}</Button>
      {result && <span class="hint">{texts[result]}</span>}
    </span>
  );
}
