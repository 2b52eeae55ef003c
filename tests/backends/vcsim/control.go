package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// control is what tests do to the simulator from outside the API. Every order is a POST of a JSON object; the answer is
// a JSON object, or status 400 with a sentence.
type control struct {
	service    *simulator.Service
	statistics *Statistics

	mu      sync.Mutex
	calls   map[string]int
	delays  map[string]time.Duration
	refused map[string]string // the privilege that is wanted by "<type>.<path>"
}

func newControl(service *simulator.Service, statistics *Statistics) http.Handler {
	c := &control{service: service, statistics: statistics, calls: map[string]int{}}
	c.reset()
	service.Context.Map.Handler = c.watch
	mux := http.NewServeMux()
	for path, order := range map[string]func(json.RawMessage) (any, error){
		"/set": c.set, "/plug": c.plug, "/remove": c.remove, "/fault": c.fault, "/faults/clear": c.clear, "/delay": c.delay,
		"/refuse": c.refuse, "/calls": c.counted, "/sessions": c.sessions, "/sessions/end": c.end, "/statistics": c.adjust,
	} {
		mux.HandleFunc("POST "+path, answering(order))
	}
	return mux
}

func answering(order func(json.RawMessage) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		defer func() { // the simulator panics where a property or a type is unknown
			if trouble := recover(); trouble != nil {
				http.Error(w, fmt.Sprint(trouble), http.StatusBadRequest)
			}
		}()
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		answer, err := order(body.Bytes())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(answer)
	}
}

// watch sees every call before the simulator does.
func (c *control) watch(ctx *simulator.Context, method *simulator.Method) (mo.Reference, types.BaseMethodFault) {
	c.mu.Lock()
	c.calls[method.Name]++
	pause := c.delays[method.Name] + c.delays["*"]
	fault := c.forbidden(method)
	c.mu.Unlock()
	time.Sleep(pause)
	return nil, fault
}

// forbidden is the fault of a call that asks for a property which is refused.
func (c *control) forbidden(method *simulator.Method) types.BaseMethodFault {
	asked, ok := method.Body.(*types.RetrievePropertiesEx)
	if !ok {
		return nil
	}
	for _, spec := range asked.SpecSet {
		for _, set := range spec.PropSet {
			for _, path := range set.PathSet {
				if privilege, ok := c.refused[set.Type+"."+path]; ok {
					return &types.NoPermission{PrivilegeId: privilege}
				}
			}
		}
	}
	return nil
}

// refuse takes privileges by "<type>.<path>": calls that ask for such a property end with NoPermission. A real vCenter
// answers them, and lists the property as missing.
func (c *control) refuse(body json.RawMessage) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused, json.Unmarshal(body, &c.refused)
}

func (c *control) reset() {
	c.delays, c.refused = map[string]time.Duration{}, map[string]string{}
}

func (c *control) object(name string) (mo.Reference, error) {
	var ref types.ManagedObjectReference
	if !ref.FromString(name) {
		return nil, fmt.Errorf("%q is not Type:id", name)
	}
	if found := c.service.Context.Map.Get(ref); found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("no object %s", name)
}

// field is the type at the path of an object, however deep.
func field(t reflect.Type, path []string) (reflect.Type, error) {
	for _, name := range path {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() == reflect.Interface { // Base<Type> stands for Type and what derives from it
			base, ok := types.TypeFunc()(strings.TrimPrefix(t.Name(), "Base"))
			if !ok {
				return nil, fmt.Errorf("no type behind %s", t)
			}
			t = base
		}
		found, ok := t.FieldByNameFunc(func(each string) bool { return strings.EqualFold(each, name) })
		if !ok {
			return nil, fmt.Errorf("%s has no property %s", t, name)
		}
		t = found.Type
	}
	return t, nil
}

// set gives an object new properties; collectors of changes hear of it. Values are JSON as the API's own.
func (c *control) set(body json.RawMessage) (any, error) {
	var order struct {
		Object     string
		Properties map[string]json.RawMessage
	}
	if err := json.Unmarshal(body, &order); err != nil {
		return nil, err
	}
	object, err := c.object(order.Object)
	if err != nil {
		return nil, err
	}
	var changes []types.PropertyChange
	for path, text := range order.Properties {
		t, err := field(reflect.TypeOf(object), strings.Split(path, "."))
		if err != nil {
			return nil, err
		}
		change := types.PropertyChange{Name: path, Op: types.PropertyChangeOpAssign}
		if string(text) != "null" {
			value, err := decoded(t, text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			change.Val = value.Interface()
		}
		changes = append(changes, change)
	}
	c.service.Context.Map.AtomicUpdate(c.service.Context, object, changes)
	return map[string]int{"changed": len(changes)}, nil
}

// decoded is a value of the API's own JSON.
func decoded(t reflect.Type, text json.RawMessage) (reflect.Value, error) {
	value := reflect.New(t)
	decoder := types.NewJSONDecoder(bytes.NewReader(text))
	err := decoder.Decode(value.Interface())
	return value.Elem(), err
}

// plug gives a guest one more device.
func (c *control) plug(body json.RawMessage) (any, error) {
	var order struct {
		Object string
		Device json.RawMessage
	}
	if err := json.Unmarshal(body, &order); err != nil {
		return nil, err
	}
	object, err := c.object(order.Object)
	if err != nil {
		return nil, err
	}
	guest, ok := object.(*simulator.VirtualMachine)
	if !ok {
		return nil, fmt.Errorf("%s is no guest", order.Object)
	}
	device, err := decoded(reflect.TypeOf((*types.BaseVirtualDevice)(nil)).Elem(), order.Device)
	if err != nil {
		return nil, err
	}
	devices := append(slices.Clone(guest.Config.Hardware.Device), device.Interface().(types.BaseVirtualDevice))
	c.service.Context.Map.AtomicUpdate(c.service.Context, guest, []types.PropertyChange{
		{Name: "config.hardware.device", Op: types.PropertyChangeOpAssign, Val: devices},
	})
	return map[string]int{"devices": len(devices)}, nil
}

// remove takes an object out of the inventory without a word to its parents.
func (c *control) remove(body json.RawMessage) (any, error) {
	var order struct{ Object string }
	if err := json.Unmarshal(body, &order); err != nil {
		return nil, err
	}
	object, err := c.object(order.Object)
	if err != nil {
		return nil, err
	}
	c.service.Context.Map.Remove(c.service.Context, object.Reference())
	return map[string]string{"removed": order.Object}, nil
}

func (c *control) fault(body json.RawMessage) (any, error) {
	order := struct {
		Method, Type, Name, Fault, Message string
		Properties                         json.RawMessage
		Times, DelayMs                     int
		Probability                        float64
	}{Method: "*", Type: "*", Name: "*", Probability: 1, Properties: json.RawMessage("{}")}
	if err := json.Unmarshal(body, &order); err != nil {
		return nil, err
	}
	t, ok := types.TypeFunc()(order.Fault)
	if !ok {
		return nil, fmt.Errorf("no fault %s", order.Fault)
	}
	value := reflect.New(t)
	if err := json.Unmarshal(order.Properties, value.Interface()); err != nil {
		return nil, err
	}
	fault, ok := value.Interface().(types.BaseMethodFault)
	if !ok {
		return nil, fmt.Errorf("%s is no fault", order.Fault)
	}
	c.service.AddFaultRule(&simulator.FaultInjectionRule{
		MethodName: order.Method, ObjectType: order.Type, ObjectName: order.Name, Probability: order.Probability,
		FaultType: simulator.FaultTypeCustom, Fault: fault, Message: order.Message, Delay: order.DelayMs,
		MaxCount: order.Times, Enabled: true,
	})
	return map[string]string{"fault": order.Fault}, nil
}

func (c *control) clear(json.RawMessage) (any, error) {
	c.service.ClearFaultRules()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reset()
	return map[string]bool{"cleared": true}, nil
}

// delay takes milliseconds by method; "*" is every method.
func (c *control) delay(body json.RawMessage) (any, error) {
	var order map[string]int
	if err := json.Unmarshal(body, &order); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for method, milliseconds := range order {
		c.delays[method] = time.Duration(milliseconds) * time.Millisecond
	}
	return order, nil
}

// counted gives the calls by method since the last time it was asked.
func (c *control) counted(json.RawMessage) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := c.calls
	c.calls = map[string]int{}
	return calls, nil
}

func (c *control) list() []types.UserSession {
	session := simulator.Session{Registry: simulator.NewRegistry(), Map: c.service.Context.Map}
	manager := session.Get(*content(c.service.Context.Map).SessionManager)
	return manager.(*simulator.SessionManager).SessionList
}

func (c *control) sessions(json.RawMessage) (any, error) {
	users := []string{}
	for _, each := range c.list() {
		users = append(users, each.UserName)
	}
	return map[string]any{"users": users}, nil
}

// end ends every session, as a restart of the vCenter does.
func (c *control) end(json.RawMessage) (any, error) {
	keys := []string{}
	for _, each := range c.list() {
		keys = append(keys, each.Key)
	}
	manager := c.service.Context.Map.SessionManager()
	manager.TerminateSession(c.service.Context, &types.TerminateSession{SessionId: keys})
	return map[string]int{"ended": len(keys)}, nil
}

// adjust fixes counters at a value, for one entity ("vm-55/cpu.ready.summation") or all, limits the metrics of a query,
// and moves the clock of the samples.
func (c *control) adjust(body json.RawMessage) (any, error) {
	var order struct {
		Constant map[string]int64
		Limit    *int
		Now      *int64
	}
	if err := json.Unmarshal(body, &order); err != nil {
		return nil, err
	}
	s := c.statistics
	s.mu.Lock()
	defer s.mu.Unlock()
	for counter, value := range order.Constant {
		s.constant[counter] = value
	}
	if order.Limit != nil {
		s.limit = *order.Limit
	}
	if order.Now != nil {
		fixed := time.Unix(*order.Now, 0)
		s.now = func() time.Time { return fixed }
	}
	return map[string]any{"constant": len(s.constant), "limit": s.limit}, nil
}
