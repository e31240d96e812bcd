/** What `${HOST_LAN_IP}`, `${USER}` and `${HOME}` stand for. */
export interface Facts {
  /** Empty where it is not known. */
  lanIp: string;
  user: string;
  /** Absolute. */
  home: string;
}

/** The variables that repoman knows, in the order in which messages name them. */
export const VARIABLES = ["HOST_LAN_IP", "USER", "HOME"] as const;

/**
 * Replaces the variables that repoman knows. Another `${NAME}` stays as it is.
 *
 * @returns the text, the names that are unknown, and those that are known but have no value here
 */
export function substitute(text: string, facts: Facts) {
  const unknown = new Set<string>();
  const empty = new Set<string>();
  const values: Record<string, string> = {
    HOST_LAN_IP: facts.lanIp,
    USER: facts.user,
    HOME: facts.home,
  };
  const result = text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (whole, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) unknown.add(name);
    else if (value === "") empty.add(name);
    return value || whole;
  });
  return { text: result, unknown: [...unknown], empty: [...empty] };
}
