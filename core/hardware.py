from tunesmith.core.select.hardware import probe_hardware as probe_hardware
