#!/bin/sh
# Gives an account the rights that the exporter needs, with govc (https://github.com/vmware/govmomi), and no other;
# with --licenses also the right to see licences, which is the right to change them as well:
#
#   export GOVC_URL=https://vcenter.example.net GOVC_USERNAME=administrator@vsphere.local GOVC_PASSWORD=...
#   deploy/permissions/vsphere/role.sh 'monitor@vsphere.local'
#
# For an ESXi of its own: GOVC_URL is the host, and the account is one of the host's ('monitor').
# It may be run again. To take the rights away: govc permissions.remove -principal ACCOUNT / && govc role.remove ROLE
set -eu

licenses=
if [ "${1:-}" = --licenses ]; then
    licenses=Global.Licenses
    shift
fi
account=${1:?usage: role.sh [--licenses] ACCOUNT [ROLE]}
role=${2:-hypervisor-exporter}

# Seeing objects (View) and reading their properties and samples (Read); Anonymous belongs to every role.
if ! govc role.ls "$role" >/dev/null 2>&1; then
    govc role.create "$role" System.Anonymous System.View System.Read
fi
[ -z "$licenses" ] || govc role.update -a "$role" "$licenses"
# At the root and downwards: what lies outside of the permission does not exist for the account.
govc permissions.set -principal "$account" -role "$role" -propagate=true /
govc permissions.ls /
