/** What a new profile begins with: valid as it is, and it changes nothing. */
export function skeleton(name: string): string {
  return `# A profile: what containers that name it in \`profiles\` get beside their own.
# \${HOME}, \${USER} and \${HOST_LAN_IP} (lan_ip of the registry) are replaced; any other stays.
name: ${name}
description: ""
# Take the # off the lines that you want; a device's go together.
config:
#  environment.EDITOR: vim
#  limits.memory: 4GiB
devices:
# A directory of the host. required: "false" lets the container start where it is missing;
# readonly: "true" keeps it from being changed. Leave \`shift\` out: files belong to you as it is.
# Prefer a directory to a single file, of which the container keeps the one that it started with.
#  cache:
#    type: disk
#    source: \${HOME}/.cache/thing
#    path: \${HOME}/.cache/thing
#    required: "false"
# A socket or a port of the host, for the container.
#  service:
#    type: proxy
#    bind: instance
#    listen: tcp:127.0.0.1:5432
#    connect: tcp:127.0.0.1:5432
`;
}
