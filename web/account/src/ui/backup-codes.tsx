import { useApp } from "../app-context";
import { download } from "../download";
import { Button } from "./action";
import { Copy } from "./copy";
import { StepHeading } from "./step-heading";

export interface BackupCodesProps {
  readonly codes: readonly string[];
  readonly stored: () => void;
}

/** Shows new backup codes, once. */
export function BackupCodes({ codes, stored }: BackupCodesProps) {
  const { texts, format, account } = useApp();
  const { backupCodes: own } = texts;
  const owner = own.owner(account.known?.email ?? account.identifier, location.host, format.day(new Date()));
  const save = () => download([owner, "", ...codes, ""].join("\r\n"), "text/plain", own.fileName);
  return (
    <section class="card">
      <StepHeading>{own.store}</StepHeading>
      <p>{own.lead}</p>
      <p class="print-only">{owner}</p>
      <ul class="codes">
        {codes.map((code) => (
          <li key={code} class="code">
            {code}
          </li>
        ))}
      </ul>
      <div class="buttons">
        <Copy text={codes.join("\n")}>{own.copy}</Copy>
        <Button onClick={save}>{own.download}</Button>
        <Button onClick={() => print()}>{own.print}</Button>
      </div>
      <div class="buttons">
        <Button kind="main" onClick={stored}>
          {own.stored}
        </Button>
      </div>
    </section>
  );
}
