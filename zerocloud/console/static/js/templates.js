// Maps to begin with.

const stdout = { name: "stdout", content_type: "text/plain" };

export const TEMPLATES = [
  ["One node", [{ name: "hello", exec: { path: "swift://~/programs/hello.wasm", args: "world" }, devices: [stdout] }]],
  [
    "A node for each object",
    [
      {
        name: "lines",
        exec: { path: "swift://~/programs/hello.wasm" },
        devices: [{ name: "stdin", path: "swift://~/books/*" }, stdout],
      },
    ],
  ],
  [
    "Map and reduce",
    [
      {
        name: "map",
        exec: { path: "swift://~/programs/map.wasm" },
        devices: [{ name: "stdin", path: "swift://~/books/*" }],
        connect: ["reduce"],
      },
      { name: "reduce", exec: { path: "swift://~/programs/reduce.wasm" }, devices: [stdout] },
    ],
  ],
  [
    "Python",
    [
      {
        name: "python",
        exec: { path: "file://python:bin/python", args: "/dev/script" },
        devices: [{ name: "python" }, { name: "script", path: "swift://~/programs/hello.py" }, stdout],
      },
    ],
  ],
];

/** The map that runs an object: a program by itself, a script by the image python. */
export function mapFor(kind, account, container, name) {
  const path = `swift://${account || "~"}/${container}/${name}`;
  const group = name
    .split("/")
    .pop()
    .replace(/[^\w.-]/g, "-");
  if (kind === "program") return [{ name: group, exec: { path }, devices: [stdout] }];
  return [
    {
      name: group,
      exec: { path: "file://python:bin/python", args: "/dev/script" },
      devices: [{ name: "python" }, { name: "script", path }, stdout],
    },
  ];
}

/** As people write it. */
export function pretty(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}
