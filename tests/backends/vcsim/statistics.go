package main

import (
	"hash/fnv"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	grid      = 20        // seconds between two realtime samples
	retention = time.Hour // how long realtime samples are kept
)

// Statistics answers realtime queries from a fixed grid: the same sample of the same counter has the same value
// however often it is asked for, samples come oldest first, and what a real vCenter refuses is refused.
type Statistics struct {
	*simulator.PerformanceManager

	mu       sync.Mutex
	now      func() time.Time
	constant map[string]int64 // "<counter>" or "<entity>/<counter>" to a fixed value
	limit    int              // the most metrics of one query, 0 for any number
}

func install(r *simulator.Registry) *Statistics {
	ref := r.Get(*content(r).PerfManager)
	s := &Statistics{
		PerformanceManager: ref.(*simulator.PerformanceManager),
		now:                time.Now,
		constant:           map[string]int64{},
	}
	r.Put(s)
	return s
}

func content(r *simulator.Registry) types.ServiceContent {
	return r.Get(types.ManagedObjectReference{Type: "ServiceInstance", Value: "ServiceInstance"}).(*simulator.ServiceInstance).Content
}

func (s *Statistics) name(id int32) (string, bool) {
	for _, counter := range s.PerfCounter {
		if counter.Key == id {
			group := counter.GroupInfo.GetElementDescription().Key
			name := counter.NameInfo.GetElementDescription().Key
			return group + "." + name + "." + string(counter.RollupType), true
		}
	}
	return "", false
}

// value is the sample that ends at the tick. By itself it is never 0, which Go's encoder leaves out of a list.
func (s *Statistics) value(entity types.ManagedObjectReference, counter, instance string, tick int64) int64 {
	for _, key := range []string{entity.Value + "/" + counter, counter} {
		if fixed, ok := s.constant[key]; ok {
			return fixed
		}
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(strings.Join([]string{entity.Value, counter, instance, strconv.FormatInt(tick, 10)}, "\x00")))
	return 1 + int64(hash.Sum32()%999)
}

// instances are those a wildcard stands for; those of a guest are its devices.
func instances(ctx *simulator.Context, entity types.ManagedObjectReference, counter string) []string {
	switch {
	case strings.HasPrefix(counter, "virtualDisk."), strings.HasPrefix(counter, "net.") && entity.Type == "VirtualMachine":
		return devices(ctx, entity, strings.HasPrefix(counter, "net."))
	case strings.HasPrefix(counter, "net."):
		return []string{"", "vmnic0", "vmnic1"}
	case strings.HasPrefix(counter, "cpu."):
		return []string{"", "0"}
	}
	return []string{""}
}

func devices(ctx *simulator.Context, entity types.ManagedObjectReference, nics bool) []string {
	var found []string
	machine, ok := ctx.Map.Get(entity).(*simulator.VirtualMachine)
	if !ok || machine.Config == nil {
		return nil
	}
	for _, each := range machine.Config.Hardware.Device {
		device := each.GetVirtualDevice()
		switch each.(type) {
		case types.BaseVirtualEthernetCard:
			if nics {
				found = append(found, strconv.Itoa(int(device.Key)))
			}
		case *types.VirtualDisk:
			if !nics && device.UnitNumber != nil {
				found = append(found, "scsi0:"+strconv.Itoa(int(*device.UnitNumber)))
			}
		}
	}
	return found
}

func (s *Statistics) silent(ctx *simulator.Context, entity types.ManagedObjectReference) bool {
	switch object := ctx.Map.Get(entity).(type) {
	case *simulator.VirtualMachine:
		return object.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOn
	case *simulator.HostSystem:
		return object.Runtime.ConnectionState != types.HostSystemConnectionStateConnected
	}
	return false
}

func (s *Statistics) ticks(spec types.PerfQuerySpec) []int64 {
	now := s.now()
	first, last := now.Add(-retention).Unix()/grid+1, now.Unix()/grid
	if spec.StartTime != nil { // the sample at the start itself is not part of the answer
		first = max(first, spec.StartTime.Unix()/grid+1)
	}
	if spec.EndTime != nil {
		last = min(last, spec.EndTime.Unix()/grid)
	}
	if spec.MaxSample > 0 {
		first = max(first, last-int64(spec.MaxSample)+1)
	}
	var ticks []int64
	for tick := first; tick <= last; tick++ {
		ticks = append(ticks, tick)
	}
	return ticks
}

type series struct {
	id     types.PerfMetricId
	values []int64
}

func (s *Statistics) answer(ctx *simulator.Context, spec types.PerfQuerySpec, ticks []int64) ([]series, types.BaseMethodFault) {
	if ctx.Map.Get(spec.Entity) == nil {
		return nil, &types.ManagedObjectNotFound{Obj: spec.Entity}
	}
	metrics := spec.MetricId
	if len(metrics) == 0 {
		for _, counter := range s.PerfCounter {
			metrics = append(metrics, types.PerfMetricId{CounterId: counter.Key, Instance: ""})
		}
	}
	var found []series
	for _, metric := range metrics {
		counter, ok := s.name(metric.CounterId)
		if !ok {
			return nil, &types.InvalidArgument{InvalidProperty: "querySpec.metricId.counterId"}
		}
		names := []string{metric.Instance}
		if metric.Instance == "*" {
			names = instances(ctx, spec.Entity, counter)
		}
		for _, instance := range names {
			one := series{id: types.PerfMetricId{CounterId: metric.CounterId, Instance: instance}}
			for _, tick := range ticks {
				one.values = append(one.values, s.value(spec.Entity, counter, instance, tick))
			}
			found = append(found, one)
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return found[i].id.CounterId < found[j].id.CounterId })
	return found, nil
}

func stamp(tick int64) time.Time { return time.Unix(tick*grid, 0).UTC() }

func csv(entity types.ManagedObjectReference, ticks []int64, found []series) *types.PerfEntityMetricCSV {
	answer := &types.PerfEntityMetricCSV{PerfEntityMetricBase: types.PerfEntityMetricBase{Entity: entity}}
	var info []string
	for _, tick := range ticks {
		info = append(info, strconv.Itoa(grid), stamp(tick).Format(time.RFC3339))
	}
	answer.SampleInfoCSV = strings.Join(info, ",")
	for _, one := range found {
		var text []string
		for _, value := range one.values {
			text = append(text, strconv.FormatInt(value, 10))
		}
		answer.Value = append(answer.Value, types.PerfMetricSeriesCSV{
			PerfMetricSeries: types.PerfMetricSeries{Id: one.id}, Value: strings.Join(text, ","),
		})
	}
	return answer
}

func normal(entity types.ManagedObjectReference, ticks []int64, found []series) *types.PerfEntityMetric {
	answer := &types.PerfEntityMetric{PerfEntityMetricBase: types.PerfEntityMetricBase{Entity: entity}}
	for _, tick := range ticks {
		answer.SampleInfo = append(answer.SampleInfo, types.PerfSampleInfo{Timestamp: stamp(tick), Interval: grid})
	}
	for _, one := range found {
		answer.Value = append(answer.Value, &types.PerfMetricIntSeries{
			PerfMetricSeries: types.PerfMetricSeries{Id: one.id}, Value: one.values,
		})
	}
	return answer
}

// QueryPerf overrides the simulator's, which answers with fresh noise at now, now-20, now-40.
func (s *Statistics) QueryPerf(ctx *simulator.Context, req *types.QueryPerf) soap.HasFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	body := &methods.QueryPerfBody{Res: new(types.QueryPerfResponse)}
	asked := 0
	for _, spec := range req.QuerySpec {
		asked += len(spec.MetricId)
	}
	if s.limit > 0 && asked > s.limit {
		body.Res, body.Fault_ = nil, simulator.Fault("", &types.RestrictedByAdministrator{Details: "querySize"})
		return body
	}
	for _, spec := range req.QuerySpec {
		ticks := s.ticks(spec)
		found, fault := s.answer(ctx, spec, ticks)
		if fault != nil {
			body.Res, body.Fault_ = nil, simulator.Fault("", fault)
			return body
		}
		if s.silent(ctx, spec.Entity) || len(ticks) == 0 {
			continue
		}
		if spec.Format == string(types.PerfFormatCsv) {
			body.Res.Returnval = append(body.Res.Returnval, csv(spec.Entity, ticks, found))
		} else {
			body.Res.Returnval = append(body.Res.Returnval, normal(spec.Entity, ticks, found))
		}
	}
	return body
}

var _ mo.Reference = (*Statistics)(nil)
