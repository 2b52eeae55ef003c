package main

import (
	"reflect"

	"github.com/vmware/govmomi/vim25/types"
)

// VirtualQuantumDisk is a device of an API that no client knows yet; tests give it to guests by `/set`.
type VirtualQuantumDisk struct {
	types.VirtualDevice

	CapacityInQubits int64  `xml:"capacityInQubits" json:"capacityInQubits"`
	Entanglement     string `xml:"entanglement" json:"entanglement"`
}

func init() {
	types.Add("VirtualQuantumDisk", reflect.TypeOf((*VirtualQuantumDisk)(nil)).Elem())
}
