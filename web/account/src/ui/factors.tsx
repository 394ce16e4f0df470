import type { Factor } from "@countersign/client";
import { useState } from "preact/hooks";
import { useApp } from "../app-context";
import { dateOf } from "../format";
import { Button } from "./action";
import { Confirm } from "./confirm";
import { Field } from "./field";
import { Submit } from "./form";
import { ProtectedAction, ProtectedForm } from "./step-up";

export interface FactorRowProps {
  readonly factor: Factor;
  /** Whether the account has no other one. */
  readonly last: boolean;
  readonly rename: (name: string) => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** An authenticator app of the account, and what can be done with it. */
export function FactorRow({ factor, last, rename, remove }: FactorRowProps) {
  const { texts } = useApp();
  const { security: own } = texts;
  const [doing, setDoing] = useState<"rename" | "remove">();
  const stop = () => setDoing(undefined);
  const save = async ({ name }: { name: string }) => {
    await rename(name);
    stop();
  };
  return (
    <li class="row">
      <PhoneIcon />
      <FactorText factor={factor} />
      {doing === undefined && (
        <div class="buttons">
          <Button label={own.renameApp(factor.name)} onClick={() => setDoing("rename")}>
            {own.rename}
          </Button>
          <Button kind="danger-plain" label={own.removeApp(factor.name)} onClick={() => setDoing("remove")}>
            {own.remove}
          </Button>
        </div>
      )}
      {doing === "rename" && (
        <div class="row-wide">
          <ProtectedForm fields={["name"]} send={save}>
            <Field name="name" autocomplete="off" first={factor.name} focused />
            <div class="buttons">
              <Submit>{own.save}</Submit>
              <Button onClick={stop}>{texts.cancel}</Button>
            </div>
          </ProtectedForm>
        </div>
      )}
      {doing === "remove" && (
        <div class="row-wide">
          <Confirm
            question={own.removeQuestion(factor.name)}
            hint={last ? own.removeLast : own.removeOne}
            keep={own.keep}
            cancel={stop}
          >
            <ProtectedAction kind="danger" act={remove}>
              {own.remove}
            </ProtectedAction>
          </Confirm>
        </div>
      )}
    </li>
  );
}

function FactorText({ factor: { name, createTime, lastUseTime } }: Pick<FactorRowProps, "factor">) {
  const { texts, format } = useApp();
  const { security: own } = texts;
  const used = lastUseTime && dateOf(lastUseTime);
  return (
    <div class="row-text">
      <h3>
        <bdi>{name}</bdi>
      </h3>
      <p class="hint">
        {createTime && <span>{own.addedOn(format.day(dateOf(createTime)))}, </span>}
        {used ? (
          <time dateTime={used.toISOString()} title={format.moment(used)}>
            {own.lastUsed(format.ago(used, new Date()))}
          </time>
        ) : (
          own.neverUsed
        )}
      </p>
    </div>
  );
}

/** A telephone. The name beside it says the same. */
function PhoneIcon() {
  return (
    <svg class="icon" viewBox="0 0 24 24" width={28} height={28} aria-hidden="true">
      <rect x="6.5" y="2.5" width="11" height="19" rx="2.5" />
      <path d="M10.5 18.5h3" />
    </svg>
  );
}
