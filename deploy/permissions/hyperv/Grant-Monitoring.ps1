# Gives an account the rights that the exporter needs on this Hyper-V host. Run it as administrator on every host and
# on every node of a cluster:
#
#   .\Grant-Monitoring.ps1 -Account 'EXAMPLE\monitor'            # grants
#   .\Grant-Monitoring.ps1 -Account 'EXAMPLE\monitor' -Revoke    # takes all of it away
#
# Mind: Hyper-V has no role that may only read. Membership of Hyper-V Administrators, without which Windows shows no
# guest to anybody but administrators, is MORE than reading: it can start, stop, change and delete every guest of the
# host. Treat the password as that of an administrator of all guests. The exporter itself sends only queries and five
# methods whose names begin with Get. With -WithoutHyperV the account stays out of that group: hosts, their processors,
# memory and volumes are then told, and processors and network of guests by name, but no guest with state or disks.
#
# It may be run again. Groups are named by their SIDs: their names are translated.
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [Parameter(Mandatory = $true)][string]$Account,
    [switch]$Revoke,
    [switch]$WithoutHyperV
)
$ErrorActionPreference = 'Stop'

$groups = @{
    'Remote Management Users'   = 'S-1-5-32-580'    # to be let in by WinRM
    'Performance Monitor Users' = 'S-1-5-32-558'    # to read performance counters
    'Hyper-V Administrators'    = 'S-1-5-32-578'    # to see guests at all; more than read-only, see above
}
if ($WithoutHyperV) { $groups.Remove('Hyper-V Administrators') }

$sid = (New-Object Security.Principal.NTAccount($Account)).Translate([Security.Principal.SecurityIdentifier])

foreach ($group in $groups.GetEnumerator()) {
    if (-not $PSCmdlet.ShouldProcess($group.Key, $(if ($Revoke) { 'remove' } else { 'add' }))) { continue }
    $local = Get-LocalGroup -SID $group.Value
    $member = Get-LocalGroupMember -Group $local -ErrorAction SilentlyContinue | Where-Object { $_.SID -eq $sid }
    if ($Revoke -and $member) { Remove-LocalGroupMember -Group $local -Member $Account }
    if (-not $Revoke -and -not $member) { Add-LocalGroupMember -Group $local -Member $Account }
}

# Enable Account, Execute Methods (the Get methods of virtual disks) and Remote Enable, on these namespaces only and not
# on those below. Writing (0x4, 0x8, 0x10) and changing rights (0x40000) are not among them.
$enable, $execute, $remote = 0x1, 0x2, 0x20
$namespaces = 'root\cimv2', 'root\virtualization\v2', 'root\MSCluster'

foreach ($namespace in $namespaces) {
    $security = Get-WmiObject -Namespace $namespace -Class __SystemSecurity -List -ErrorAction SilentlyContinue
    if (-not $security) { Write-Verbose "$namespace is not on this host"; continue }
    if (-not $PSCmdlet.ShouldProcess($namespace, $(if ($Revoke) { 'revoke' } else { 'grant' }))) { continue }
    $found = Invoke-WmiMethod -Namespace $namespace -Path '__SystemSecurity=@' -Name GetSecurityDescriptor
    if ($found.ReturnValue -ne 0) { throw "the rights of $namespace cannot be read: $($found.ReturnValue)" }
    $descriptor = $found.Descriptor
    $kept = @($descriptor.DACL | Where-Object { $_.Trustee.SIDString -ne $sid.Value })
    if (-not $Revoke) {
        $trustee = ([wmiclass]'Win32_Trustee').CreateInstance()
        $trustee.SIDString = $sid.Value
        $ace = ([wmiclass]'Win32_ACE').CreateInstance()
        $ace.AccessMask = $enable -bor $execute -bor $remote
        $ace.AceFlags = 0      # this namespace only
        $ace.AceType = 0       # allow
        $ace.Trustee = $trustee
        $kept += $ace
    }
    $descriptor.DACL = $kept
    $set = Invoke-WmiMethod -Namespace $namespace -Path '__SystemSecurity=@' -Name SetSecurityDescriptor `
        -ArgumentList $descriptor.PSObject.ImmediateBaseObject
    if ($set.ReturnValue -ne 0) { throw "the rights of $namespace cannot be changed: $($set.ReturnValue)" }
}

# A cluster has a list of its own; once on any node.
if (Get-Command Grant-ClusterAccess -ErrorAction SilentlyContinue) {
    if (Get-Cluster -ErrorAction SilentlyContinue) {
        if ($PSCmdlet.ShouldProcess('the cluster', $(if ($Revoke) { 'remove access' } else { 'grant reading' }))) {
            if ($Revoke) { Remove-ClusterAccess -User $Account } else { Grant-ClusterAccess -User $Account -ReadOnly }
        }
    }
}

Write-Output $(if ($Revoke) { "$Account has been taken out" } else { "$Account may be used by the exporter" })
