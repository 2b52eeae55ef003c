"""SOAP faults by what happened, in both styles: WSManFault (WinRM 2) and MSFT_WmiError (WinRM 3 and later).

Their shapes follow genuine faults: the quota capture; CannotProcessFilter and QuotaLimit of project WinRb/WinRM.
"""

import uuid
from dataclasses import dataclass, replace

from tests.backends.winrm.shapes import ANONYMOUS, CIM, XSI, text

STYLES = ("wsman", "wmi")


@dataclass(frozen=True)
class Fault(Exception):
    """What the service refuses: subcode, number, sentence, HTTP status."""

    subcode: str
    code: int
    reason: str
    status: int = 500
    sender: bool = True
    provider: str = ""  # the provider's own sentence; WSManFault then nests a ProviderFault
    style: str = "wsman"
    language: str = "en-US"


FAULTS = {
    "access_denied": Fault("w:AccessDenied", 5, "Access is denied. "),
    "wmi_access_denied": Fault("w:AccessDenied", 2150859014, "The WS-Management service cannot connect to WMI. "),
    "provider_denied": Fault("w:AccessDenied", 2150859013, "The WMI provider denied the access. "),
    "not_found": Fault(
        "a:DestinationUnreachable",
        2150858752,
        "The WS-Management service cannot process the request. The service cannot find the resource identified by the "
        "resource URI and selectors. ",
    ),
    "invalid_uri": Fault("a:DestinationUnreachable", 2150858811, "The resource URI is not valid. "),
    "filter": Fault(
        "n:CannotProcessFilter",
        2150858778,
        "The data source could not process the filter. The filter might be missing or it might be invalid. Change the "
        "filter and try the request again.  ",
    ),
    "no_filter": Fault("w:InvalidParameter", 2150859003, "The WS-Management service needs a filter for this URI. "),
    "selectors": Fault("w:InvalidSelectors", 2150858843, "The request contains invalid selectors. "),
    "timeout": Fault(
        "w:TimedOut",
        2150858793,
        "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  ",
        sender=False,
    ),
    "quota_operations": Fault(
        "w:InternalError",
        2150859174,
        "The WS-Management service cannot process the request. The maximum number of concurrent operations for this "
        "user has been exceeded. Close existing operations for this user, or raise the quota for this user.",
        sender=False,
    ),
    "quota_user": Fault("w:QuotaLimit", 2150859175, "The quota of this user has been exceeded. "),
    "quota_system": Fault("w:QuotaLimit", 2150859176, "The quota of the system has been exceeded. "),
    "quota": Fault("w:QuotaLimit", 2150858815, "The service is configured to refuse more requests. "),
    "envelope": Fault("w:EncodingLimit", 2150858824, "The response exceeds the envelope size that was asked for. "),
    "context": Fault("n:InvalidEnumerationContext", 2150858884, "The enumeration context is not valid. "),
    "closed": Fault(
        "n:InvalidEnumerationContext",
        2150858759,
        "The enumeration session is finished or cancelled and cannot be used. ",
    ),
    "pull_in_progress": Fault("w:Concurrency", 2150858758, "A pull operation is already in progress. "),
    "action": Fault("a:ActionNotSupported", 2150858753, "The action is not supported by the service. "),
    "method": Fault("a:ActionNotSupported", 2150858834, "The method is not supported. "),
    "remote_disabled": Fault("w:AccessDenied", 2150859229, "Remote access is disabled. "),
    "internal": Fault("w:InternalError", 1726, "The remote procedure call failed. ", sender=False),
}


def fault(name: str, **changes) -> Fault:
    """A fault by its name, with other fields."""
    return replace(FAULTS[name], **changes)


def envelope(what: Fault, relates_to: str, action: str) -> str:
    """The whole answer."""
    about = "enumeration" if "/enumeration/" in action else "addressing"
    action_uri = (
        f"http://schemas.xmlsoap.org/ws/2004/09/{about}/fault"
        if what.subcode.startswith("n:")
        else "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
    )
    detail = _wsman_detail(what) if what.style == "wsman" else _wmi_detail(what)
    return (
        f'<s:Envelope xml:lang="{what.language}" xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        ' xmlns:x="http://schemas.xmlsoap.org/ws/2004/09/transfer"'
        ' xmlns:e="http://schemas.xmlsoap.org/ws/2004/08/eventing"'
        ' xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration"'
        ' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
        ' xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd">'
        f"<s:Header><a:Action>{action_uri}</a:Action><a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        f"<a:To>{ANONYMOUS}</a:To><a:RelatesTo>{text(relates_to)}</a:RelatesTo></s:Header><s:Body><s:Fault><s:Code>"
        f"<s:Value>s:{'Sender' if what.sender else 'Receiver'}</s:Value>"
        f"<s:Subcode><s:Value>{what.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="{what.language}">{text(what.reason)}</s:Text></s:Reason>'
        f"<s:Detail>{detail}</s:Detail></s:Fault></s:Body></s:Envelope>"
    )


def _wsman_detail(what: Fault) -> str:
    namespace = 'xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"'
    message = text(what.reason)
    if what.provider:
        message = (
            '<f:ProviderFault provider="WMI Provider" path="%systemroot%\\system32\\WsmWmiPl.dll">'
            f'<f:WSManFault {namespace} Code="{what.code}" Machine="localhost">'
            f"<f:Message>{text(what.provider)}</f:Message></f:WSManFault>"
            "<f:ExtendedError>"
            f'<p:__ExtendedStatus {XSI} {CIM} xsi:type="p:__ExtendedStatus_Type"'
            ' xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/__ExtendedStatus">'
            '<p:Description xsi:nil="true"/><p:Operation>ExecQuery</p:Operation>'
            '<p:ParameterInfo xsi:nil="true"/><p:ProviderName>WinMgmt</p:ProviderName>'
            '<p:StatusCode xsi:nil="true"/></p:__ExtendedStatus></f:ExtendedError></f:ProviderFault>'
        )
    head = f'<f:WSManFault {namespace} Code="{what.code}" Machine="localhost">'
    return f"{head}<f:Message>{message}</f:Message></f:WSManFault>"


def _wmi_detail(what: Fault) -> str:
    sentence = text(what.provider or what.reason)
    fields = (
        ("CIMStatusCode", "cimUnsignedInt", "27"),
        ("CIMStatusCodeDescription", "cimString", None),
        ("ErrorSource", "cimString", None),
        ("ErrorSourceFormat", "cimUnsignedShort", "0"),
        ("ErrorType", "cimUnsignedShort", "0"),
        ("Message", "cimString", sentence),
        ("MessageID", "cimString", f"HRESULT 0x{what.code:08x}"),
        ("OtherErrorSourceFormat", "cimString", None),
        ("OtherErrorType", "cimString", None),
        ("OwningEntity", "cimString", None),
        ("PerceivedSeverity", "cimUnsignedShort", "0"),
        ("ProbableCause", "cimUnsignedShort", "0"),
        ("ProbableCauseDescription", "cimString", None),
        ("error_Category", "cimUnsignedInt", "30"),
        ("error_Code", "cimUnsignedInt", str(what.code)),
        ("error_Type", "cimString", "HRESULT"),
        ("error_WindowsErrorMessage", "cimString", sentence),
    )
    inner = "".join(
        f'<p:{name} xsi:type="cim:{kind}" xsi:nil="true"/>'
        if value is None
        else f'<p:{name} xsi:type="cim:{kind}">{value}</p:{name}>'
        for name, kind, value in fields
    )
    return (
        f'<p:MSFT_WmiError b:IsCIM_Error="true" {XSI} xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"'
        f' xmlns:p="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError" {CIM}'
        f' xsi:type="p:MSFT_WmiError_Type">{inner}</p:MSFT_WmiError>'
    )
