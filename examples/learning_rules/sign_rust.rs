//! A rule in Rust: V = s sign(W), written as numbers (Liao, Leibo and Poggio 2016). Without the standard library, so that
//! nothing of it - environment, standard output, exit - comes along. The structs are those of plugin.h and rule.h.
#![no_std]

use core::ffi::c_void;
use core::mem::size_of;
use core::ptr::null;

type Status = i32;

#[repr(C)]
struct Option_ {
    name: *const u8,
    kind: u32,
    offset: u32,
    flags: u32,
    reserved: u32,
    def: f64,
    min: f64,
    max: f64,
    def_string: *const u8,
    choices: *const *const u8,
    unit: *const u8,
    help: *const u8,
}

#[repr(C)]
pub struct Plugin {
    magic: u32,
    struct_size: u32,
    abi_version: u32,
    kind: u32,
    name: *const u8,
    version: *const u8,
    author: *const u8,
    license: *const u8,
    summary: *const u8,
    reference: *const u8,
    instance_size: usize,
    options: *const Option_,
    option_count: u32,
    option_size: u32,
    flags: u64,
    create: *const c_void,
    destroy: *const c_void,
    extension: *const c_void,
    vtable: *const Rule,
}

#[repr(C)]
struct Layer {
    struct_size: u32,
    index: u32,
    kind: u32,
    flags: u32,
    name: *const u8,
    key: *const u8,
    out_channels: u32,
    in_channels: u32,
    groups: u32,
    outputs: u32,
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
    kernel: [u32; 2],
    stride: [u32; 2],
    dilation: [u32; 2],
    padding: [u32; 4],
    activation: u32,
    max_batch: u32,
    count: usize,
    fan_in: usize,
    fan_out: usize,
}

#[repr(C)]
struct Rule {
    struct_size: u32,
    flags: u32,
    feedback: *const c_void,
    attach: *const c_void,
    fill_feedback: unsafe extern "C" fn(*mut c_void, *const Layer, u64, *const f32, *mut f32) -> Status,
    after_update: *const c_void,
    route: *const c_void,
    local: *const c_void,
    step_end: *const c_void,
}

/// The instance: the host writes the option into it.
#[repr(C)]
struct SignRust {
    size: f64,
}

unsafe extern "C" fn fill_feedback(
    instance: *mut c_void,
    layer: *const Layer,
    _step: u64,
    w: *const f32,
    v: *mut f32,
) -> Status {
    let (rule, layer) = unsafe { (&*(instance as *const SignRust), &*layer) };
    let w = unsafe { core::slice::from_raw_parts(w, layer.count) };
    let v = unsafe { core::slice::from_raw_parts_mut(v, layer.count) };
    let s = (rule.size / layer.fan_in as f64) as f32;
    for (to, from) in v.iter_mut().zip(w) {
        *to = if *from > 0.0 { s } else if *from < 0.0 { -s } else { 0.0 };
    }
    0
}

/// Pointers that never change may be looked at by every thread.
struct Constant<T>(T);
unsafe impl<T> Sync for Constant<T> {}

static OPTIONS: Constant<[Option_; 1]> = Constant([Option_ {
    name: b"size\0".as_ptr(),
    kind: 1,
    offset: 0,
    flags: 0,
    reserved: 0,
    def: 1.0,
    min: 0.0,
    max: 1e6,
    def_string: null(),
    choices: null(),
    unit: null(),
    help: b"s times fan_in\0".as_ptr(),
}]);

static RULE: Constant<Rule> = Constant(Rule {
    struct_size: size_of::<Rule>() as u32,
    flags: 0,
    feedback: null(),
    attach: null(),
    fill_feedback,
    after_update: null(),
    route: null(),
    local: null(),
    step_end: null(),
});

static PLUGIN: Constant<Plugin> = Constant(Plugin {
    magic: 0x5446_4f42,
    struct_size: size_of::<Plugin>() as u32,
    abi_version: 1,
    kind: 1,
    name: b"sign_rust\0".as_ptr(),
    version: b"1.0\0".as_ptr(),
    author: b"bioft\0".as_ptr(),
    license: b"MIT\0".as_ptr(),
    summary: b"sign-concordant feedback, in Rust\0".as_ptr(),
    reference: b"Liao, Leibo, Poggio, AAAI 2016\0".as_ptr(),
    instance_size: size_of::<SignRust>(),
    options: &OPTIONS.0 as *const [Option_; 1] as *const Option_,
    option_count: 1,
    option_size: size_of::<Option_>() as u32,
    flags: 0,
    create: null(),
    destroy: null(),
    extension: null(),
    vtable: &RULE.0,
});

#[no_mangle]
pub extern "C" fn bioft_plugin_entry(index: u32) -> *const Plugin {
    if index == 0 { &PLUGIN.0 } else { null() }
}

/// Nothing here panics; a library without the standard one has to say so all the same.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
