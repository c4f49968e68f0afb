// Runs a command on Windows with the full rights of a user, by a scheduled task: a command that comes over a
// remote connection has a filtered token, which for example installers and Windows Update refuse.

import type { Communicator } from "../../contract/communicator.ts";
import { escapePowerShell } from "./powershell_text.ts";
import { uploadText } from "./windows_script.ts";

/** What {@linkcode uploadElevatedScript} makes a task of. */
export interface ElevatedScriptOptions {
  /** The command line that the task runs. */
  command: string;
  /** The user that runs it. */
  user: string;
  /** The user's password; empty for an account without one, such as SYSTEM. */
  password: string;
  /** The machine. */
  communicator: Communicator;
  /** Stops the upload when aborted. */
  signal: AbortSignal;
}

/**
 * Uploads a script that runs a command as a scheduled task, shows its output, and exits as it does.
 *
 * @param options The command, and who runs it.
 * @returns The command line that runs the script.
 * @throws {Error} When it cannot be uploaded.
 */
export async function uploadElevatedScript(
  { command, user, password, communicator, signal }: ElevatedScriptOptions,
): Promise<string> {
  const task = `packer-${crypto.randomUUID()}`;
  const path =
    `C:/Windows/Temp/packer-elevated-shell-${crypto.randomUUID()}.ps1`;
  const script = elevatedScript({ command, user, password, task, path });
  try {
    await uploadText(communicator, path, script, signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw new Error(
      `Error preparing elevated powershell script: ${(cause as Error).message}`,
      { cause },
    );
  }
  return `powershell -executionpolicy bypass -file "${path}"`;
}

/** What {@linkcode elevatedScript} writes. */
interface ElevatedScript {
  command: string;
  user: string;
  password: string;
  /** The name of the task. */
  task: string;
  /** The path of the script itself, which deletes itself. */
  path: string;
}

function elevatedScript(
  { command, user, password, task, path }: ElevatedScript,
): string {
  // A task's output goes nowhere, so the command writes it to a file, which the script follows.
  const log = `%SYSTEMROOT%/Temp/${task}.out`;
  const args = escapeXml(`/c ${command} > ${log} 2>&1`);
  return `
$taskName = "${task}"
$user = "${escapePowerShell(user)}"
$password = "${escapePowerShell(password)}"
$logFile = [System.Environment]::ExpandEnvironmentVariables("${log}")
$ownFile = [System.Environment]::ExpandEnvironmentVariables("${path}")
if (Test-Path variable:global:ProgressPreference) { $ProgressPreference = "SilentlyContinue" }

$definition = [xml]@'
${taskXml(args)}
'@
# The user's name is set by the object model, which escapes it.
$definition.Task.Principals.Principal.UserId = $user
# 1 = TASK_LOGON_PASSWORD, 5 = TASK_LOGON_SERVICE_ACCOUNT, which takes no password and no LogonType.
$logonType = 1
if ($password.Length -eq 0) {
  $logonType = 5
  $password = $null
  $principal = $definition.Task.Principals.Principal
  $principal.RemoveChild($principal.SelectSingleNode("*[local-name()='LogonType']")) | Out-Null
}

$service = New-Object -ComObject "Schedule.Service"
$service.Connect()
$folder = $service.GetFolder("\\")
$task = $service.NewTask($null)
$task.XmlText = $definition.OuterXml
# 6 = TASK_CREATE_OR_UPDATE
$folder.RegisterTaskDefinition($taskName, $task, 6, $user, $password, $logonType, $null) | Out-Null
$registered = $folder.GetTask("\\$taskName")
$registered.Run($null) | Out-Null

# State 4 = running, 3 = ready: it has ended, or has not started yet.
for ($second = 0; ($registered.State -ne 4) -and ($second -lt 10); $second++) {
  Start-Sleep -Seconds 1
}
$shown = 0
do {
  Start-Sleep -Milliseconds 100
  $hasEnded = $registered.State -eq 3
  if (Test-Path $logFile) {
    Get-Content $logFile | Select-Object -Skip $shown | ForEach-Object {
      $shown += 1
      Write-Output "$_"
    }
  }
} until ($hasEnded)
$result = $registered.LastTaskResult

foreach ($file in $logFile, $ownFile) {
  if (Test-Path $file) { Remove-Item $file -Force -ErrorAction SilentlyContinue | Out-Null }
}
$folder.DeleteTask("\\$taskName", 0)
[System.Runtime.Interopservices.Marshal]::ReleaseComObject($service) | Out-Null
exit $result
`;
}

/** The definition of a task that runs immediately, without a time limit, with the user's full rights. */
function taskXml(args: string): string {
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Packer elevated task</Description>
  </RegistrationInfo>
  <Principals>
    <Principal id="Author">
      <UserId>user</UserId>
      <LogonType>Password</LogonType>
      <RunLevel>HighestAvailable</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>false</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <IdleSettings>
      <StopOnIdleEnd>false</StopOnIdleEnd>
      <RestartOnIdle>false</RestartOnIdle>
    </IdleSettings>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>false</Hidden>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>4</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>cmd</Command>
      <Arguments>${args}</Arguments>
    </Exec>
  </Actions>
</Task>`;
}

const XML: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
  "\t": "&#x9;",
  "\n": "&#xA;",
  "\r": "&#xD;",
};

function escapeXml(text: string): string {
  return text.replace(/[&<>"'\t\n\r]/g, (character) => XML[character]!);
}
