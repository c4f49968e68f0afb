// How texts are written for PowerShell.

/**
 * Escapes a text for a double-quoted PowerShell string, with the characters that Packer escapes.
 *
 * @param text Any text.
 */
export function escapePowerShell(text: string): string {
  return text.replace(/[$"`']/g, "`$&");
}

/**
 * A command line that runs a PowerShell script without any quoting: the script is encoded as UTF-16LE and base64.
 *
 * @param script The script. Progress bars are turned off, which would come out on stderr.
 */
export function encodedPowerShellCommand(script: string): string {
  const text = `$ProgressPreference = 'SilentlyContinue';${script}`;
  let bytes = "";
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    bytes += String.fromCharCode(unit & 0xff, unit >> 8);
  }
  return `powershell.exe -EncodedCommand ${btoa(bytes)}`;
}
