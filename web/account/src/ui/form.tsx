import { createContext, type ComponentChildren } from "preact";
import { useContext, useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { useApp } from "../app-context";
import { emptyAmong, fieldText, renamed, type Fault } from "../faults";
import { Button, useDoing } from "./action";
import { CaptchaTask } from "./captcha";
import { Wait } from "./note";

interface FormState {
  /** The `id` of a field's input. */
  idOf(name: string): string;
  /** The fault of a field. */
  wrong(name: string): string | undefined;
  readonly busy: boolean;
}

const FormContext = createContext<FormState | undefined>(undefined);

export function useForm(): FormState {
  const form = useContext(FormContext);
  if (form === undefined) throw new Error("this is shown outside of a form");
  return form;
}

export interface FormProps<N extends string> {
  /** The names of the fields in their order; they are those of the proto. */
  readonly fields: readonly N[];
  /** The fields that may stay empty, which may depend on the values of others. */
  readonly optional?: readonly N[] | ((values: Record<N, string>) => readonly N[]);
  /** A failure is shown, and the typed text stays. The token is empty until the service requires a captcha. */
  readonly send: (values: Record<N, string>, captchaToken: string) => Promise<unknown>;
  /** The inputs that have another name than the field of the service. */
  readonly inputs?: Readonly<Record<string, N>>;
  /** What is shown below the form after certain failures, in place of their text. `again` sends the form again. */
  readonly failed?: (fault: Fault, again: () => Promise<void>) => ComponentChildren;
  readonly children: ComponentChildren;
}

/** A form whose fields belong to the browser, so that no typed text is lost whatever is rendered around them. */
export function Form<N extends string>({ fields, optional = [], send, inputs, failed, children }: FormProps<N>) {
  const { errors } = useApp();
  const form = useRef<HTMLFormElement>(null);
  const prefix = useId();
  const doing = useDoing(send);
  const [empty, setEmpty] = useState<Fault>();
  const refused = useMemo(() => doing.fault && (inputs ? renamed(doing.fault, inputs) : doing.fault), [doing.fault]);
  const fault = empty ?? refused;
  const idOf = (name: string) => `${prefix}-${name}`;

  const go = (captchaToken: string) => {
    if (doing.busy || form.current === null) return;
    const values = valuesOf(form.current, fields);
    const empty = emptyAmong(values, typeof optional === "function" ? optional(values) : optional);
    setEmpty(empty);
    if (empty === undefined) void doing.run(values, captchaToken);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    go("");
  };
  const again = async () => {
    if (form.current) await doing.run(valuesOf(form.current, fields), "");
  };
  useEffect(() => {
    if (fault === undefined) return;
    const wrong = fields.find((name) => fault.fields.some(({ field }) => field === name));
    const target = wrong ? document.getElementById(idOf(wrong)) : form.current?.querySelector<HTMLElement>(".note, .captcha");
    target?.focus();
  }, [fault]);

  const wrong = (name: string) => {
    const found = fault?.fields.find(({ field }) => field === name);
    return fault && found && fieldText(fault, found, errors);
  };
  const shown = fault && failed?.(fault, again);
  return (
    <>
      <FormContext.Provider value={{ idOf, wrong, busy: doing.busy }}>
        <form ref={form} class="form" noValidate onSubmit={submit}>
          {fault && !shown && fault.reason !== "CAPTCHA_REQUIRED" && <Summary fault={fault} fields={fields} />}
          {children}
          <CaptchaTask fault={fault} solved={go} />
        </form>
      </FormContext.Provider>
      {shown}
    </>
  );
}

/** The faults, above the fields, with a link to each field. */
function Summary({ fault, fields }: { readonly fault: Fault; readonly fields: readonly string[] }) {
  const { errors, texts } = useApp();
  const { idOf } = useForm();
  const here = (field: string) => fields.includes(field);
  const go = (event: Event, field: string) => {
    event.preventDefault();
    document.getElementById(idOf(field))?.focus();
  };
  return (
    <div class="note note-bad" role="alert" tabIndex={-1}>
      <p>{fault.fields.some(({ field }) => here(field)) ? errors.check(fault.fields.length) : errors.reasons[fault.reason]}</p>
      {fault.fields.length > 0 && (
        <ul>
          {fault.fields.map((each) => (
            <li key={each.field}>
              {here(each.field) ? (
                <a href={`#${idOf(each.field)}`} onClick={(event) => go(event, each.field)}>
                  {texts.labels[each.field] ?? each.field}
                </a>
              ) : (
                fieldText(fault, each, errors)
              )}
            </li>
          ))}
        </ul>
      )}
      <Wait fault={fault} />
    </div>
  );
}

/** The button that sends the form. */
export function Submit({ kind = "main", children }: { readonly kind?: "main" | "plain" | "danger"; readonly children: string }) {
  const { busy } = useForm();
  return (
    <Button type="submit" kind={kind} busy={busy}>
      {children}
    </Button>
  );
}

function valuesOf<N extends string>(form: HTMLFormElement, names: readonly N[]): Record<N, string> {
  const data = new FormData(form);
  return Object.fromEntries(names.map((name) => [name, String(data.get(name) ?? "")])) as Record<N, string>;
}
