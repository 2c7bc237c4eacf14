import { holdfastError } from "../core/error.ts";
import type { Host } from "../host/host.ts";
import { joinPath } from "../host/path.ts";

/**
 * Makes the `configPath` of a runtime: where the platform wants a user's configuration of an application to be.
 */
export function configPathOn(runtime: () => Host): (app: string, host?: Host) => string {
  return (app, host = runtime()) => {
    if (app === "" || app === "." || app === ".." || /[/\\\0]/.test(app)) {
      throw holdfastError(
        "UNSUPPORTED",
        `Cannot name the config path of ${
          JSON.stringify(app)
        }: found no plain name; give one without slashes`,
        { what: "application name" },
      );
    }
    return joinPath(userDirectory(host), app, "config.json");
  };
}

function userDirectory(host: Host): string {
  const { platform } = host.capabilities;
  if (platform === "windows") {
    return host.variable("APPDATA") ?? joinPath(home(host, "USERPROFILE"), "AppData", "Roaming");
  }
  if (platform === "darwin") return joinPath(home(host, "HOME"), "Library", "Application Support");
  const xdg = host.variable("XDG_CONFIG_HOME");
  // The XDG specification has relative paths ignored.
  return xdg?.startsWith("/") ? xdg : joinPath(home(host, "HOME"), ".config");
}

function home(host: Host, variable: string): string {
  const directory = host.variable(variable);
  if (directory) return directory;
  throw holdfastError(
    "UNSUPPORTED",
    `Cannot find the user's directory: found no ${variable} in the environment; ` +
      "set it, allow it to be read, or give openConfig a path",
    { what: `variable ${variable}` },
  );
}
