export function ReleasePage(_: { id?: string; app?: string }) {
  return <p />;
}
