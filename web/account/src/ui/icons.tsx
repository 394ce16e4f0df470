/** A telephone. The text beside it says the same. */
export function PhoneIcon({ size = 28 }: { readonly size?: number }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true">
      <rect x="6.5" y="2.5" width="11" height="19" rx="2.5" />
      <path d="M10.5 18.5h3" />
    </svg>
  );
}

/** A person with a key, as for passkeys elsewhere. The text beside it says the same. */
export function PasskeyIcon({ size = 28 }: { readonly size?: number }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true">
      <circle cx="9" cy="7" r="3.75" />
      <path d="M2.5 20.5v-1.25a5.25 5.25 0 0 1 5.25-5.25h2.5a5.2 5.2 0 0 1 2.6.7" />
      <circle cx="17.75" cy="13" r="2.75" />
      <path d="M17.75 15.75v6l1.75-1.5M17.75 18.5h1.75" />
    </svg>
  );
}
