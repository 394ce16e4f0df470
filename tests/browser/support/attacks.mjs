// The requests that a page can make a browser send to another origin. Each runs in that page, with the address and a
// framed message; `arrives` describes the request that reaches the service, `leaves` that the page is gone then.

/** With the cookies, because both origins are of one site. */
const POSTED = { method: "POST", cookies: true };
const GOT = { method: "GET", cookies: true };
/** The preflight. That the browser sends it is the defence, together with its answer. */
const ASKED = { method: "OPTIONS", cookies: false };

const posting = (name, headers) => ({
  name: `fetch without CORS, ${name}`,
  arrives: POSTED,
  act: new Function("what", `
    const body = new Uint8Array(what.body);
    return fetch(what.url, { method: "POST", mode: "no-cors", credentials: "include", headers: ${JSON.stringify(headers)}, body }).then(() => {});
  `),
});

const form = (enctype, target) => ({
  name: `form, ${enctype}, ${target}`,
  leaves: target === "_self",
  arrives: POSTED,
  act: new Function("what", `
    const form = document.createElement("form");
    Object.assign(form, { action: what.url, method: "POST", enctype: "${enctype}", target: "${target}" });
    const frame = document.createElement("iframe");
    frame.name = "inner";
    const field = document.createElement("textarea");
    field.name = String.fromCharCode(...what.body);
    form.append(field);
    document.body.append(frame, form);
    setTimeout(() => form.submit());
  `),
});

const ENCTYPES = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

export const ATTACKS = [
  posting("text/plain", { "content-type": "text/plain" }),
  posting("urlencoded", { "content-type": "application/x-www-form-urlencoded" }),
  posting("a type that is dropped", { "content-type": "application/grpc-web+proto" }),
  posting("a parameter that names the other type", { "content-type": "text/plain; application/grpc-web+proto" }),
  ...ENCTYPES.flatMap((enctype) => [form(enctype, "inner"), form(enctype, "_self")]),
  {
    name: "multipart by fetch",
    arrives: POSTED,
    act: ({ url, body }) => {
      const data = new FormData();
      data.append("file", new Blob([new Uint8Array(body)], { type: "application/grpc-web+proto" }));
      return fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body: data }).then(() => {});
    },
  },
  {
    name: "fetch with CORS and the right type",
    arrives: ASKED,
    act: ({ url, body }) => {
      const headers = { "content-type": "application/grpc-web+proto", "x-grpc-web": "1" };
      return fetch(url, { method: "POST", credentials: "include", headers, body: new Uint8Array(body) }).then(
        () => Promise.reject(new Error("the browser let it through")),
        () => {},
      );
    },
  },
  {
    name: "fetch that may outlive its page",
    arrives: POSTED,
    act: ({ url, body }) => {
      const init = { method: "POST", mode: "no-cors", credentials: "include", keepalive: true, body: new Uint8Array(body) };
      return fetch(url, init).then(() => {});
    },
  },
  { name: "beacon", arrives: POSTED, act: ({ url, body }) => navigator.sendBeacon(url, new Uint8Array(body)) },
  {
    name: "beacon, text/plain",
    arrives: POSTED,
    act: ({ url, body }) => navigator.sendBeacon(url, new Blob([new Uint8Array(body)], { type: "text/plain" })),
  },
  {
    name: "beacon with the right type",
    arrives: ASKED,
    act: ({ url, body }) => navigator.sendBeacon(url, new Blob([new Uint8Array(body)], { type: "application/grpc-web+proto" })),
  },
  {
    name: "image",
    arrives: GOT,
    act: ({ url }) => {
      new Image().src = url;
    },
  },
  {
    name: "script",
    arrives: GOT,
    act: ({ url }) => {
      document.body.append(Object.assign(document.createElement("script"), { src: url }));
    },
  },
  {
    name: "visit",
    leaves: true,
    arrives: GOT,
    act: ({ url }) => {
      setTimeout(() => location.assign(url));
    },
  },
  {
    name: "fetch of an address",
    arrives: GOT,
    act: ({ url }) => fetch(url, { mode: "no-cors", credentials: "include" }).then(() => {}),
  },
];
