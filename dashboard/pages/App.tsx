export function AppPage(_: { id?: string; app?: string }) {
  return <p />;
}
