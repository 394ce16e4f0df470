import type { Wait } from "@countersign/client";
import { useEffect, useState } from "preact/hooks";
import { useApp } from "../app-context";
import { Note } from "./note";

/** Says that a call waits for another tab, and that it continued without that tab. */
export function WaitView() {
  const { texts, countersign, announce } = useApp();
  const [wait, setWait] = useState<Wait>("over");
  useEffect(() => countersign.onWait(setWait), [countersign]);
  useEffect(() => {
    if (wait !== "over") announce(texts.waits[wait]);
  }, [wait]);
  return wait === "over" ? null : <Note tone="plain">{texts.waits[wait]}</Note>;
}
