// An estate of files: the same tree of types and names as the real one, made in milliseconds, with
// two projects that can be told to be slow or to fail. What is tested with it is the command line.

import { Config } from "@pulumi/pulumi/config.js";
import { getStack } from "@pulumi/pulumi/metadata.js";
import type { Inputs } from "@pulumi/pulumi/output.js";
import { ComponentResource, CustomResource, type Resource } from "@pulumi/pulumi/resource.js";

const SOURCE =
  `const h=()=>import(require("url").pathToFileURL("test/cli/tiny/provider.ts")),p={};` +
  `for(const m of ["check","diff","create","read","update","delete"])` +
  `p[m]=async(...a)=>(await h()).handlers[m](...a);exports.handler=()=>p`;

const owner = { id: new Config("repoman").require("stackId"), stack: getStack() };

class Thing extends CustomResource {
  constructor(
    type: string,
    name: string,
    parent: Resource,
    inputs: Inputs = {},
    dependsOn: Resource[] = [],
  ) {
    super(
      `pulumi-nodejs:dynamic/repoman:${type}`,
      name,
      { owner, name: `${type}-${name}`, value: "as declared", ...inputs, __provider: SOURCE },
      { parent, dependsOn },
    );
  }
}

class Part extends ComponentResource {
  constructor(type: string, name: string, parent?: Resource) {
    super(`repoman:index:${type}`, name, {}, parent ? { parent } : {});
  }
}

const estate = new Part("Estate", getStack());
const project = new Thing("IncusProject", "repoman", estate);
const library = new Part("ProfileLibrary", getStack(), estate);
const shared = new Thing("IncusProfile", "shared", library);
new Thing("IncusProfile", "other", library);

export const containers: Record<string, object> = {};
export const backups: Record<string, object> = {};
for (const name of ["alpha", "beta"]) {
  const workspace = new Part("Workspace", name, estate);
  new Thing("RepoContainer", name, workspace, { project: project.id }, [project, shared]);
  new Thing("RsyncBackup", name, workspace);
  containers[name] = {
    state: "Running",
    ipv4: "10.0.0.7",
    image: "busybox",
    profiles: ["shared"],
    repo: `/r/${name}`,
  };
  backups[name] = { lastSync: new Date(0).toISOString(), result: "ok" };
}
export const orphans: string[] = [];
