export function Releases() {
  return <p />;
}
