// The template engine: each function, each construct, and what it refuses.

import type { ParityCase } from "../case.ts";
import { aFile, nothing, validate } from "./parts.ts";

const text = (
  name: string,
  content: string,
  rest: Partial<ParityCase> = {},
): ParityCase => ({
  name: `engine-${name}`,
  template: {
    variables: { u: "of the user", n: "3", empty: "", list: "a,b,c" },
    builders: [aFile({ content })],
  },
  ...rest,
});
const refused = (
  name: string,
  content: string,
  ...messageParts: string[]
): ParityCase => text(name, content, { args: validate(), messageParts });

/** The cases. */
export const engine: readonly ParityCase[] = [
  text("names", "{{build_name}} {{build_type}} {{user `u`}}"),
  text("quotes", '{{user "u"}} {{`{{raw}}`}} {{"tab\\there"}} {{\'a\'}}'),
  text("upper-lower", "{{upper `aé`}} {{lower `AÉ`}} {{upper (user `u`)}}"),
  text(
    "replace",
    "{{replace `a` `b` 1 `aaa`}} {{replace `a` `b` -1 `aaa`}} {{replace_all `a` `b` `aaa`}}",
  ),
  text("split", "{{split `a-b-c` `-` 1}} {{split (user `list`) `,` 0}}"),
  text("clean", "{{clean_resource_name `a b:c/d_é`}}", {
    differs: {
      why: "clean-resource-name",
      ok: true,
      messageParts: ["a.txt"],
      files: ["a.txt"],
    },
  }),
  text("clean-pipe", "{{user `u` | clean_resource_name}}", {
    differs: {
      why: "clean-resource-name",
      ok: true,
      messageParts: ["a.txt"],
      files: ["a.txt"],
    },
  }),
  text("pipes", "{{user `u` | upper | printf `%q` | len}}"),
  text("trim", "a  {{- `b` -}}  c {{- /* note */ -}} d"),
  text(
    "if",
    "{{if eq (user `n`) `3`}}three{{else}}other{{end}} {{if user `empty`}}yes{{else}}no{{end}}",
  ),
  text("else-if", "{{if false}}1{{else if true}}2{{else}}3{{end}}"),
  text("range", "{{range $i, $c := `abc` | printf `%s`}}{{$i}}{{end}}", {
    messageParts: ["range"],
    args: validate(),
  }),
  text(
    "with",
    "{{with user `u`}}[{{.}}]{{else}}none{{end}}{{with ``}}x{{else}}none{{end}}",
  ),
  text("variables", "{{$x := user `u`}}{{$x}}/{{$x = `new`}}{{$x}}"),
  text(
    "compare",
    "{{eq 1 1 2}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt `b` `a`}} {{ge 1.5 1.5}}",
  ),
  text("logic", "{{and 1 0}} {{or 0 `x`}} {{not true}} {{and true true}}"),
  text(
    "printf",
    "{{printf `%s %d %05.2f %x %q %v %t %5s|%-5s|` `s` 5 1.5 255 `q` 1 true `r` `l`}}",
  ),
  text("print", "{{print `a` 1 2 `b`}} {{println `x`}}"),
  text(
    "index-len-slice",
    "{{len `abc`}} {{index `abc` 1}} {{slice `abcd` 1 3}}",
  ),
  text("escapes", "{{html `<&>`}} {{js `'\"`}} {{urlquery `a b&c`}}"),
  text("numbers", "{{1_000}} {{0x1F}} {{1e3}} {{-5}} {{'a'}} {{1.50}}"),
  text(
    "define",
    "{{define `t`}}<{{.}}>{{end}}{{template `t` `x`}}{{template `t` 5}}",
  ),
  text("block", "{{block `b` `data`}}[{{.}}]{{end}}"),
  text("no-template", "{ {x} } }} { { "),
  text("comment", "a{{/* {{ not }} */}}b"),
  text("lines", "{{if true}}\n  x\n{{end}}\n"),
  text("packer-version", "{{packer_version}}"),
  text("pwd", "{{pwd}}"),
  text("template-dir", "{{template_dir}}"),
  text("timestamp", "{{timestamp}}", { aside: [/\d{10}/] }),
  text("timestamp-twice", "{{timestamp | eq timestamp}} {{len timestamp}}"),
  text("uuid", "{{uuid}} {{len uuid}}"),
  text("isotime", "{{isotime}}", {
    aside: [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/],
  }),
  text(
    "isotime-layout",
    "{{isotime `2006-01-02`}} {{isotime `Monday Jan _2 15h04 MST -0700 06 PM`}}",
    {
      aside: [
        /\d{4}-\d\d-\d\d [A-Z][a-z]+day [A-Z][a-z]{2} [ \d]\d \d\dh\d\d UTC \+0000 \d\d [AP]M/,
      ],
    },
  ),
  text("isotime-only-words", "{{isotime `no layout` | len}}", {
    aside: [/\d+/],
  }),
  text("strftime", "{{strftime `%Y-%m-%dT%H:%M %j %%`}}", {
    aside: [/\d{4}-\d\d-\d\dT\d\d:\d\d/],
  }),
  text("env-forbidden-in-if", "{{if env `HOME`}}x{{end}}", {
    args: validate(),
    messageParts: ["env vars are not allowed here"],
  }),
  refused("unclosed", "a {{user `u`", "unclosed"),
  refused("unclosed-if", "{{if true}}x", "unexpected eof"),
  refused("unknown-function", "{{uper `x`}}", 'function "uper" not defined'),
  refused("wrong-arguments", "{{upper}}", "upper", "args"),
  refused("too-many-arguments", "{{upper `a` `b`}}", "upper", "args"),
  refused("wrong-type", "{{upper 5}}", "upper"),
  text("case-of-each-character", "{{upper `straße ŉ`}} {{lower `ΑΣ İ`}}"),
  text("template-in-a-variable", "{{user `tpl`}}|{{user `tpl` | len}}", {
    template: {
      variables: { tpl: "{{upper `x`}}" },
      builders: [aFile({ content: "{{user `tpl`}}|{{user `tpl` | len}}" })],
    },
  }),
  text(
    "printf-wrong",
    "{{printf `%d` `x`}} {{printf `%s`}} {{printf `x` 1}} {{printf `%U %c %x` 955 955 `λ`}}",
  ),
  text(
    "break",
    "{{range $x := .}}{{break}}{{end}}done{{range .}}x{{else}}empty{{end}}",
  ),
  text("newline-in-action", "{{upper\n`x`}}"),
  refused(
    "isotime-two-layouts",
    "{{isotime `2006` `x`}}",
    "isotime",
    "too many values",
  ),
  refused("index-out-of-range", "{{index `abc` 9}}", "out of range"),
  refused("nil", "{{nil}}", "nil is not a command"),
  refused("overflow", "{{99999999999999999999}}", "overflow"),
  refused("undefined-template", "{{template `nope`}}", "nope", "not defined"),
  text("unknown-field", "{{.Nope}}"),
  refused("unterminated-quote", "{{user `u}}", "unterminated"),
  refused("bad-character", "{{user ^}}", "unexpected"),
  refused("end-without-if", "{{end}}", "end"),
  refused("undefined-variable", "{{$x}}", "undefined variable"),
  refused("split-out-of-range", "{{split `a` `-` 5}}", "split"),
  refused("compare-kinds", "{{eq 1 `1`}}", "incompatible types"),
  text("strftime-bad", "{{strftime `%`}}|{{strftime `%!`}}"),
  refused("consul-off-the-net", "{{consul_key `x`}}", "consul"),
  refused("vault-unset", "{{vault `secret/x` `y`}}", "vault"),
  text("build-in-a-builder", "{{build `ID`}}", {
    args: validate(),
    messageParts: [],
  }),
  {
    name: "engine-in-a-builders-name",
    template: {
      variables: { v: "1.2" },
      builders: [nothing({ name: "app-{{user `v`}}-{{upper `x`}}" })],
    },
  },
  {
    name: "engine-name-broken",
    template: { builders: [nothing({ name: "{{nope}}" })] },
    args: validate(),
    messageParts: ["nope"],
  },
  {
    name: "engine-functions-of-one-build",
    template: {
      builders: [nothing()],
      provisioners: [{
        type: "shell-local",
        inline: [
          "echo {{build `ID`}}",
          "echo {{build `PackerHTTPAddr`}}",
          "echo {{build `SourceImageName`}}",
        ],
      }],
    },
    messageParts: ["find SourceImageName in it"],
  },
  {
    name: "engine-build-placeholders",
    template: {
      builders: [nothing()],
      provisioners: [{
        type: "shell-local",
        inline: [
          "echo {{build `ID`}} {{build `PackerHTTPIP`}} {{build `PackerHTTPPort`}}",
        ],
        environment_vars: ["ID={{build `ID`}}"],
      }],
    },
  },
];
