import type { RememberedDevice } from "@countersign/client";
import type { Ref } from "preact";
import { useApp } from "../app-context";
import { nameOf } from "../device";
import { dateOf } from "../format";
import { Action } from "./action";

export interface RememberedDevicesProps {
  readonly devices: readonly RememberedDevice[];
  readonly heading: Ref<HTMLHeadingElement>;
  readonly forget: (device: RememberedDevice) => Promise<void>;
}

/** The devices on which the password alone signs in. */
export function RememberedDevices({ devices, heading, forget }: RememberedDevicesProps) {
  const { texts } = useApp();
  const { rememberedDevices: own } = texts;
  return (
    <section class="card">
      <h2 ref={heading} tabIndex={-1}>
        {own.title}
      </h2>
      <p>{own.lead}</p>
      <ul class="rows" aria-label={own.title}>
        {devices.map((device) => (
          <DeviceRow key={device.deviceId} device={device} forget={() => forget(device)} />
        ))}
      </ul>
    </section>
  );
}

function DeviceRow({ device, forget }: { readonly device: RememberedDevice; readonly forget: () => Promise<void> }) {
  const { texts, format } = useApp();
  const { rememberedDevices: own } = texts;
  const { createTime, expireTime, current } = device;
  const name = nameOf(device, texts);
  const until = expireTime && dateOf(expireTime);
  return (
    <li class="row">
      <div class="row-text">
        <h3>
          <bdi>{name}</bdi> {current && <span class="badge">{texts.sessions.thisDevice}</span>}
        </h3>
        <p class="hint">
          {createTime && <span>{own.since(format.day(dateOf(createTime)))}, </span>}
          {until && (
            <time dateTime={until.toISOString()} title={format.moment(until)}>
              {own.until(format.day(until))}
            </time>
          )}
        </p>
      </div>
      <Action act={forget} label={own.forgetDevice(name)}>
        {own.forget}
      </Action>
    </li>
  );
}
