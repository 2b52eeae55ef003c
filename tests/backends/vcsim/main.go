// A vCenter or ESXi for tests: govmomi's simulator with deterministic statistics and a control port.
//
// It prints one line of JSON with its addresses once it serves, and ends with SIGTERM.
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/vmware/govmomi/simulator"
	_ "github.com/vmware/govmomi/sts/simulator"
	_ "github.com/vmware/govmomi/vapi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

type settings struct {
	esx, http                        bool
	load, api, user, password, cert  string
	key                              string
	listen                           string
	datacenters, clusters, hosts     int
	standalone, datastores, machines int
	pools, pods, folders, opaque     int
}

func parse() *settings {
	var s settings
	flag.BoolVar(&s.esx, "esx", false, "be an ESXi host, not a vCenter")
	flag.BoolVar(&s.http, "http", false, "serve without TLS")
	flag.StringVar(&s.listen, "listen", "127.0.0.1:0", "address of the SDK")
	flag.StringVar(&s.load, "load", "", "folder of an inventory, as `govc object.save` writes it")
	flag.StringVar(&s.api, "api-version", "", "version of the API, for example 8.0.3.0")
	flag.StringVar(&s.user, "user", "monitor@vsphere.local", "user name")
	flag.StringVar(&s.password, "password", "secret", "password")
	flag.StringVar(&s.cert, "cert", "", "file of the certificate; without it one is made up")
	flag.StringVar(&s.key, "key", "", "file of the certificate's key")
	flag.IntVar(&s.datacenters, "datacenters", 1, "datacenters")
	flag.IntVar(&s.clusters, "clusters", 1, "clusters in a datacenter")
	flag.IntVar(&s.hosts, "hosts", 3, "hosts in a cluster")
	flag.IntVar(&s.standalone, "standalone", 1, "hosts outside clusters in a datacenter")
	flag.IntVar(&s.datastores, "datastores", 1, "datastores in a datacenter")
	flag.IntVar(&s.machines, "machines", 2, "virtual machines in a resource pool")
	flag.IntVar(&s.pools, "pools", 0, "resource pools in a cluster beside its root")
	flag.IntVar(&s.pods, "pods", 0, "datastore clusters in a datacenter")
	flag.IntVar(&s.opaque, "opaque", 0, "networks of NSX in a datacenter")
	flag.IntVar(&s.folders, "folders", 0, "datacenters that lie in folders")
	flag.Parse()
	return &s
}

func model(s *settings) (*simulator.Model, error) {
	m := simulator.VPX()
	if s.esx {
		m = simulator.ESX()
	}
	if s.api != "" {
		m.ServiceContent.About.ApiVersion = s.api
	}
	if s.load != "" {
		return m, load(m, s.load)
	}
	m.Machine, m.Datastore = s.machines, s.datastores
	if !s.esx {
		m.Datacenter, m.Cluster, m.ClusterHost, m.Host = s.datacenters, s.clusters, s.hosts, s.standalone
		m.Pool, m.Pod, m.Folder, m.OpaqueNetwork = s.pools, s.pods, s.folders, s.opaque
	}
	return m, m.Create()
}

// load reads an inventory. The simulator makes a folder for each datastore where it stands, and not a second time.
func load(m *simulator.Model, inventory string) error {
	inventory, err := filepath.Abs(inventory)
	if err != nil {
		return err
	}
	datastores, err := os.MkdirTemp(".", "datastores-")
	if err != nil {
		return err
	}
	if err := os.Chdir(datastores); err != nil {
		return err
	}
	if err := m.Load(inventory); err != nil {
		return err
	}
	for _, each := range m.Map().AllReference("VirtualMachineSnapshot") { // loaded as what can only be looked at
		if plain, ok := each.(*mo.VirtualMachineSnapshot); ok {
			m.Map().Put(&simulator.VirtualMachineSnapshot{VirtualMachineSnapshot: *plain})
		}
	}
	for _, each := range m.Map().AllReference("VirtualMachine") { // `govc object.save` saves trees without their objects
		if vm, ok := each.(*simulator.VirtualMachine); ok && vm.Snapshot != nil {
			snapshots(m.Map(), vm.Snapshot.RootSnapshotList)
		}
	}
	return nil
}

// snapshots makes the objects of a tree that are not there.
func snapshots(r *simulator.Registry, trees []types.VirtualMachineSnapshotTree) {
	for _, tree := range trees {
		if r.Get(tree.Snapshot) == nil {
			made := &simulator.VirtualMachineSnapshot{}
			made.Self, made.Vm = tree.Snapshot, tree.Vm
			for _, child := range tree.ChildSnapshotList {
				made.ChildSnapshot = append(made.ChildSnapshot, child.Snapshot)
			}
			r.Put(made)
		}
		snapshots(r, tree.ChildSnapshotList)
	}
}

func serve(s *settings, m *simulator.Model) (*simulator.Server, error) {
	m.Service.RegisterEndpoints = true
	m.Service.Listen = &url.URL{Host: s.listen, User: url.UserPassword(s.user, s.password)}
	if !s.http {
		m.Service.TLS = new(tls.Config)
		if s.cert != "" {
			pair, err := tls.LoadX509KeyPair(s.cert, s.key)
			if err != nil {
				return nil, err
			}
			m.Service.TLS.Certificates = []tls.Certificate{pair}
		}
	}
	return m.Service.NewServer(), nil
}

func main() {
	s := parse()
	m, err := model(s)
	if err != nil {
		log.Fatal(err)
	}
	defer m.Remove()
	statistics := install(m.Map())
	installRights(m.Map())
	server, err := serve(s, m)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	control := newControl(m.Service, statistics)
	go func() { log.Fatal(http.Serve(listener, control)) }()

	line, _ := json.Marshal(map[string]string{
		"sdk":     fmt.Sprintf("%s://%s/sdk", server.URL.Scheme, server.URL.Host),
		"control": "http://" + listener.Addr().String(),
	})
	fmt.Println(string(line))
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	<-end
}
