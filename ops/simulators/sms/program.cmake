target_sources(sim-sms PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/simulators/common/sim.c)
