// The way to a machine through a SOCKS5 proxy. OpenSSH has no SOCKS client, and a
// plugin need not be permitted to open sockets: bash opens the connection.
// Source: RFC 1928 (SOCKS5), RFC 1929 (username and password).

import { join } from "@std/path";
import { shellQuote } from "../../common/shell_quote.ts";
import type { SshConfig } from "./ssh_options.ts";

// bash SCRIPT PROXY_HOST PROXY_PORT HOST PORT [FILE_OF_SECRETS]
const SCRIPT = `
fail() { echo "SOCKS proxy $proxy: $1" >&2; exit 1; }
octets() { dd bs=1 count="$1" <&3 2>/dev/null | od -An -v -tu1; }
hex() { printf '%s' "$1" | od -An -v -tx1 | tr -d ' \\n' | sed 's/../\\\\x&/g'; }
send() { printf "$1" >&3 || fail "it closed the connection"; }
length() { LC_ALL=C; printf '\\\\x%02x' "\${#1}"; }

proxy=$1:$2 host=$3 port=$4 user= password=
if [ -n "$5" ]; then { read -r user; IFS= read -r password; } < "$5"; fi
exec 3<>"/dev/tcp/$1/$2" || fail "connection refused"
if [ -n "$user" ]; then send '\\x05\\x02\\x00\\x02'; else send '\\x05\\x01\\x00'; fi
set -- $(octets 2)
[ "$1" = 5 ] || fail "it does not speak SOCKS5"
case $2 in
  0) ;;
  2)
    send "\\x01$(length "$user")$(hex "$user")$(length "$password")$(hex "$password")"
    set -- $(octets 2)
    [ "$2" = 0 ] || fail "it refused the username or the password" ;;
  *) fail "it wants another authentication" ;;
esac
case $host in
  *:*) fail "an IPv6 address must be given as a name" ;;
esac
send "\\x05\\x01\\x00\\x03$(length "$host")$(hex "$host")$(printf '\\\\x%02x\\\\x%02x' $((port / 256)) $((port % 256)))"
set -- $(octets 4)
case $2 in
  0) ;;
  1) fail "general failure" ;;
  2) fail "its rules do not allow the connection to $host:$port" ;;
  3) fail "network unreachable ($host:$port)" ;;
  4) fail "host unreachable ($host:$port)" ;;
  5) fail "connection refused ($host:$port)" ;;
  *) fail "it gave no answer, or error \${2:-0}" ;;
esac
case $4 in
  1) octets 6 ;;
  3) set -- $(octets 1); octets $(($1 + 2)) ;;
  4) octets 18 ;;
esac >/dev/null
cat <&3 &
exec cat >&3
`;

/**
 * The value of ssh's `ProxyCommand`.
 *
 * @param config The configuration, with a proxy.
 * @param directory A private directory, for the script and the secrets.
 * @throws {Error} When there is no bash.
 */
export async function socksCommand(
  config: SshConfig,
  directory: string,
): Promise<string> {
  const { success } = await new Deno.Command("sh", {
    args: ["-c", "command -v bash"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  if (!success) throw new Error("ssh_proxy_host needs the program bash");
  const script = join(directory, "socks.sh");
  await Deno.writeTextFile(script, SCRIPT, { mode: 0o600 });
  const { ssh_proxy_username: user, ssh_proxy_password: password } = config;
  const secrets = join(directory, "socks");
  if (user) {
    await Deno.writeTextFile(secrets, `${user}\n${password ?? ""}\n`, {
      mode: 0o600,
    });
  }
  const words = [
    script,
    config.ssh_proxy_host!,
    String(config.ssh_proxy_port || 1080),
  ].map((word) => shellQuote(word).replaceAll("%", "%%"));
  const last = user ? ` ${shellQuote(secrets).replaceAll("%", "%%")}` : "";
  // ssh puts an exec before it.
  return `bash ${words.join(" ")} %h %p${last}`;
}
