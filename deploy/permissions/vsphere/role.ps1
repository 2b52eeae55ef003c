# Gives an account the rights that the exporter needs, with PowerCLI, and no other;
# with -Licenses also the right to see licences, which is the right to change them as well:
#
#   Connect-VIServer vcenter.example.net
#   ./role.ps1 -Account 'VSPHERE.LOCAL\monitor'
#
# It may be run again. To take the rights away: Get-VIPermission -Principal ACCOUNT | Remove-VIPermission
# and Remove-VIRole ROLE.
param(
    [Parameter(Mandatory = $true)][string]$Account,
    [string]$Role = 'hypervisor-exporter',
    [switch]$Licenses
)
$ErrorActionPreference = 'Stop'

# Seeing objects (View) and reading their properties and samples (Read); Anonymous belongs to every role.
$found = Get-VIRole -Name $Role -ErrorAction SilentlyContinue
if (-not $found) {
    $found = New-VIRole -Name $Role -Privilege (Get-VIPrivilege -Id 'System.Anonymous', 'System.View', 'System.Read')
}
if ($Licenses) {
    $found = Set-VIRole -Role $found -AddPrivilege (Get-VIPrivilege -Id 'Global.Licenses')
}

# At the root and downwards: what lies outside of the permission does not exist for the account.
$root = Get-Folder -NoRecursion
Get-VIPermission -Entity $root -Principal $Account -ErrorAction SilentlyContinue | Remove-VIPermission -Confirm:$false
New-VIPermission -Entity $root -Principal $Account -Role $found -Propagate:$true
