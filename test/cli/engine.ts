export async function engineEnvironment() {
  return { env: { PATH: process.env.PATH ?? "", HOME: "/tmp" } };
}
