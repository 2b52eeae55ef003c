package main

import (
	"slices"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// Rights answers what an account may do from the roles and permissions that there are (`govc role.create`,
// `govc permissions.set`), where the simulator itself grants everything. An account without a permission of its own
// anywhere is the administrator that the simulator begins with.
type Rights struct {
	*simulator.AuthorizationManager
}

func installRights(r *simulator.Registry) {
	if ref := content(r).AuthorizationManager; ref != nil {
		if manager, ok := r.Get(*ref).(*simulator.AuthorizationManager); ok {
			r.Put(&Rights{manager})
		}
	}
}

// HasUserPrivilegeOnEntities tells for each entity which of the privileges an account has there.
func (r *Rights) HasUserPrivilegeOnEntities(ctx *simulator.Context, req *types.HasUserPrivilegeOnEntities) soap.HasFault {
	body := &methods.HasUserPrivilegeOnEntitiesBody{}
	res := &types.HasUserPrivilegeOnEntitiesResponse{}
	for _, entity := range req.Entities {
		if ctx.Map.Get(entity) == nil {
			body.Fault_ = simulator.Fault("", &types.ManagedObjectNotFound{Obj: entity})
			return body
		}
		held, all := r.held(ctx, entity, req.UserName)
		told := types.EntityPrivilege{Entity: entity}
		for _, id := range req.PrivId {
			granted := all || slices.Contains(held, id)
			told.PrivAvailability = append(told.PrivAvailability, types.PrivilegeAvailability{PrivId: id, IsGranted: granted})
		}
		res.Returnval = append(res.Returnval, told)
	}
	body.Res = res
	return body
}

// held is the privileges of the permission that counts: the nearest one, on the entity or inherited.
func (r *Rights) held(ctx *simulator.Context, entity types.ManagedObjectReference, user string) ([]string, bool) {
	all := r.RetrieveAllPermissions(&types.RetrieveAllPermissions{}).(*methods.RetrieveAllPermissionsBody).Res.Returnval
	if _, any := own(all, user); !any {
		return nil, true
	}
	for at := &entity; at != nil; {
		object, ok := ctx.Map.Get(*at).(mo.Entity)
		if !ok {
			break
		}
		of := r.RetrieveEntityPermissions(ctx, &types.RetrieveEntityPermissions{Entity: *at})
		p, ok := own(of.(*methods.RetrieveEntityPermissionsBody).Res.Returnval, user)
		if ok && (p.Propagate || *at == entity) {
			return r.privileges(p.RoleId), false
		}
		at = object.Entity().Parent
	}
	return nil, false
}

func own(permissions []types.Permission, user string) (types.Permission, bool) {
	for _, p := range permissions {
		if !p.Group && same(p.Principal, user) {
			return p, true
		}
	}
	return types.Permission{}, false
}

func (r *Rights) privileges(role int32) []string {
	for _, each := range r.RoleList {
		if each.RoleId == role {
			return each.Privilege
		}
	}
	return nil
}

// same compares names as user@domain and DOMAIN\user.
func same(a, b string) bool {
	return strings.EqualFold(upn(a), upn(b))
}

func upn(name string) string {
	if domain, user, ok := strings.Cut(name, `\`); ok {
		return user + "@" + domain
	}
	return name
}
