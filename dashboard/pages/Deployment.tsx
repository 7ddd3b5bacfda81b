export function DeploymentPage(_: { id?: string; app?: string }) {
  return <p />;
}
