export function Locks() {
  return <p />;
}
