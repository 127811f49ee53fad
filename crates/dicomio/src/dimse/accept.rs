//! What a requested association may do: who may ask, which classes and encodings are taken.

use std::collections::BTreeMap;
use std::net::IpAddr;

use dicom_dictionary_std::uids;
use dicom_ul::pdu::{
    AssociationAC, AssociationRJ, AssociationRJResult, AssociationRJServiceProviderASCEReason,
    AssociationRJServiceProviderPresentationReason, AssociationRJServiceUserReason,
    AssociationRJSource, AssociationRQ, PresentationContextProposed, PresentationContextResult,
    PresentationContextResultReason as Reason, UserVariableItem,
};

use super::listener::{ListenerConfig, Peer};
use super::{IMPLEMENTATION_NAME, IMPLEMENTATION_UID, MAX_DATA_PDU};
use crate::content::{RETIRED_ULTRASOUND, SECONDARY_CAPTURE};
use crate::mammogram::class::{RADIOGRAPHS, TOMOSYNTHESIS};
use crate::syntax::KNOWN;

const PROTOCOL_VERSION: u16 = 1;

/// What two sides agreed on under a presentation context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) class: String,
    pub(super) syntax: String,
}

/// Accepted contexts by their numbers.
pub(super) type Contexts = BTreeMap<u8, Context>;

/// Classes whose files `read_header` and `read_mammogram_header` read, or refuse with a reason that
/// a user is to see.
pub(super) fn taken_classes() -> impl Iterator<Item = &'static str> {
    let images = [
        uids::ULTRASOUND_IMAGE_STORAGE,
        uids::ULTRASOUND_MULTI_FRAME_IMAGE_STORAGE,
        uids::DIGITAL_MAMMOGRAPHY_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION,
        uids::DIGITAL_MAMMOGRAPHY_X_RAY_IMAGE_STORAGE_FOR_PROCESSING,
    ];
    images
        .into_iter()
        .chain(RETIRED_ULTRASOUND)
        .chain(SECONDARY_CAPTURE)
        .chain(TOMOSYNTHESIS)
        .chain(RADIOGRAPHS.map(|(class, _)| class))
}

/// Encodings of which the pixels are read.
pub(super) fn taken_syntaxes() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|known| known.0)
}

/// Whether instances of a class are taken.
pub(crate) fn is_taken(class: &str) -> bool {
    taken_classes().any(|known| known == class)
}

/// Whether pixels in this encoding are read.
pub(crate) fn is_read(syntax: &str) -> bool {
    taken_syntaxes().any(|known| known == syntax)
}

/// Accepts or rejects a request.
pub(super) fn judge(
    request: &AssociationRQ,
    address: IpAddr,
    config: &ListenerConfig,
) -> Result<(AssociationAC, Contexts), AssociationRJ> {
    use AssociationRJServiceUserReason as User;
    if request.protocol_version & PROTOCOL_VERSION == 0 {
        let reason = AssociationRJServiceProviderASCEReason::ProtocolVersionNotSupported;
        return Err(rejected(AssociationRJSource::ServiceProviderASCE(reason)));
    }
    if request.application_context_name.trim_end_matches('\0') != uids::DICOM_APPLICATION_CONTEXT {
        return Err(by_user(User::ApplicationContextNameNotSupported));
    }
    if !is_known(&config.peers, &request.calling_ae_title, address) {
        return Err(by_user(User::CallingAETitleNotRecognized));
    }
    let called = config.ae_title.as_deref();
    if called.is_some_and(|own| own != request.called_ae_title) {
        return Err(by_user(User::CalledAETitleNotRecognized));
    }
    let mut contexts = Contexts::new();
    let proposed = request.presentation_contexts.iter();
    let results = proposed
        .map(|context| answer(context, &mut contexts))
        .collect();
    let answer = AssociationAC {
        protocol_version: PROTOCOL_VERSION,
        calling_ae_title: request.calling_ae_title.clone(),
        called_ae_title: request.called_ae_title.clone(),
        application_context_name: uids::DICOM_APPLICATION_CONTEXT.to_owned(),
        presentation_contexts: results,
        user_variables: user_variables(),
    };
    Ok((answer, contexts))
}

/// What this side says of itself in every negotiation.
pub(super) fn user_variables() -> Vec<UserVariableItem> {
    vec![
        UserVariableItem::MaxLength(MAX_DATA_PDU),
        UserVariableItem::ImplementationClassUID(IMPLEMENTATION_UID.to_owned()),
        UserVariableItem::ImplementationVersionName(IMPLEMENTATION_NAME.to_owned()),
    ]
}

/// Rejected for now: every association is in use.
pub(super) fn busy() -> AssociationRJ {
    let reason = AssociationRJServiceProviderPresentationReason::LocalLimitExceeded;
    AssociationRJ {
        result: AssociationRJResult::Transient,
        source: AssociationRJSource::ServiceProviderPresentation(reason),
    }
}

fn by_user(reason: AssociationRJServiceUserReason) -> AssociationRJ {
    rejected(AssociationRJSource::ServiceUser(reason))
}

fn rejected(source: AssociationRJSource) -> AssociationRJ {
    AssociationRJ {
        result: AssociationRJResult::Permanent,
        source,
    }
}

/// Without a list everybody is known. A peer without a title or an address is known by the other.
fn is_known(peers: &[Peer], title: &str, address: IpAddr) -> bool {
    let fits = |peer: &Peer| {
        let title_fits = peer.ae_title.as_deref().is_none_or(|known| known == title);
        title_fits && peer.may_connect_from(address)
    };
    peers.is_empty() || peers.iter().any(fits)
}

/// The first encoding of the peer's that is read here is taken.
fn answer(
    proposed: &PresentationContextProposed,
    into: &mut Contexts,
) -> PresentationContextResult {
    let class = proposed.abstract_syntax.trim_end_matches('\0');
    let offered = proposed.transfer_syntaxes.iter();
    let mut syntaxes = offered.map(|s| s.trim_end_matches('\0'));
    let found = match class {
        uids::VERIFICATION => syntaxes.find(|s| PLAIN_SYNTAXES.contains(s)),
        _ => syntaxes.find(|s| is_read(s)),
    };
    let (reason, syntax) = match found {
        _ if class != uids::VERIFICATION && !is_taken(class) => {
            (Reason::AbstractSyntaxNotSupported, None)
        }
        // Numbers are odd and used once.
        _ if proposed.id.is_multiple_of(2) || into.contains_key(&proposed.id) => {
            (Reason::NoReason, None)
        }
        None => (Reason::TransferSyntaxesNotSupported, None),
        Some(syntax) => (Reason::Acceptance, Some(syntax)),
    };
    if let Some(syntax) = syntax {
        let context = Context {
            class: class.to_owned(),
            syntax: syntax.to_owned(),
        };
        into.insert(proposed.id, context);
    }
    PresentationContextResult {
        id: proposed.id,
        reason,
        transfer_syntax: syntax.unwrap_or(uids::IMPLICIT_VR_LITTLE_ENDIAN).to_owned(),
    }
}

/// Encodings of messages that carry no pixels.
pub(super) const PLAIN_SYNTAXES: [&str; 2] = [
    uids::IMPLICIT_VR_LITTLE_ENDIAN,
    uids::EXPLICIT_VR_LITTLE_ENDIAN,
];
